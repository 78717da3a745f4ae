"""`/graphql`: GraphQL over HTTP by its specification, over WebSocket, and the GraphiQL page for browsers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from graphql import OperationType
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry import Schema

from kit import config, outage
from schema import errors, execution
from schema.context import Context
from schema.documents import Documents
from schema.errors import RequestError, refuse
from schema.limits import is_about_many
from web import auth, graphiql
from web.live import Hub
from web.request import GRAPHQL_JSON, checked, from_body, from_url, marked, preferred
from web.sockets import Sockets
from web.websocket import Socket

ACCEPT_LENGTH_MAX = 500

# What is refused before the execution has one status whatever is accepted, except what old clients expect as 200.
STATUS = {
    errors.BAD_REQUEST: 400,
    errors.OPERATION_UNRESOLVED: 400,
    errors.BAD_USER_INPUT: 400,
    errors.UNAUTHENTICATED: 401,
    "METHOD_NOT_ALLOWED": 405,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    errors.UNAVAILABLE: 503,
}
HEADERS = {
    errors.UNAUTHENTICATED: {"www-authenticate": auth.CHALLENGE},
    "METHOD_NOT_ALLOWED": {"allow": "GET, POST"},
    errors.UNAVAILABLE: {"retry-after": str(outage.RETRY_AFTER_SECONDS)},
}

hub = Hub()
sockets = Sockets()


def routes(schema: Schema | None = None) -> list[BaseRoute]:
    """The addresses of the API; `schema` is the one of the product unless a test brings its own."""
    if schema is None:
        from schema import schema as product

        schema = product
    settings = config.settings()
    door = Door(schema, with_page=settings.graphiql, origins=settings.allowed_origins)
    found: list[BaseRoute] = [Route("/graphql", door), WebSocketRoute("/graphql", door)]
    return [Mount(graphiql.ASSETS_PATH, graphiql.assets()), *found] if settings.graphiql else found


@contextlib.asynccontextmanager
async def live() -> AsyncIterator[None]:
    """Open while the server runs: the ear for news, and the eye on the tokens of open sockets."""
    async with hub.listening(), sockets.watching():
        yield


class Door:
    """Takes a request apart, has it executed, and writes the answer."""

    def __init__(self, schema: Schema, *, with_page: bool = True, origins: list[str] | None = None) -> None:
        self.documents = Documents(schema._schema)
        self.origins = frozenset(origins or ())
        self._with_page = with_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await Socket(WebSocket(scope, receive, send), self.documents, self.origins, hub, sockets).run()
            return
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        accepted = request.headers.get("accept", "")[:ACCEPT_LENGTH_MAX]
        if (
            self._with_page
            and request.method == "GET"
            and "text/html" in accepted
            and "query" not in request.query_params
        ):
            return graphiql.page()
        media_type = preferred(accepted)
        request_id = request.scope.get("request_id", "")
        try:
            answer = await self._answer(request, request_id)
        except RequestError as refused:
            body = {"errors": marked(refused.errors, request_id)}
            return written(body, media_type, _status(refused.code, media_type), HEADERS.get(refused.code))
        except ClientDisconnect:
            return Response(status_code=400)
        if not answer.errors:
            return written({"data": answer.data}, media_type)
        found = marked(answer.errors, request_id)
        if errors.is_unavailable(found) and not any((answer.data or {}).values()):
            # Nothing came of it. Where a part of a mutation is done already, the caller has to see which.
            return written({"errors": found}, media_type, 503, HEADERS[errors.UNAVAILABLE])
        return written({"errors": found, "data": answer.data}, media_type)

    async def _answer(self, request: Request, request_id: str) -> execution.Answer:
        if request.method not in ("GET", "POST"):
            raise refuse("METHOD_NOT_ALLOWED", "This address only knows GET and POST.")
        caller = await auth.caller(auth.bearer(request.headers.get("authorization")))
        if caller is None:
            raise refuse(errors.UNAUTHENTICATED, auth.UNAUTHENTICATED_MESSAGE)
        given, large = (from_url(request), False) if request.method == "GET" else await from_body(request)
        query, operation_name, variables = checked(given)
        document = self.documents.read(query)
        operation = document.operation(operation_name)
        if large and not is_about_many(operation):
            raise HTTPException(413)
        if operation.operation is OperationType.SUBSCRIPTION:
            raise refuse(errors.BAD_REQUEST, "Subscriptions run over WebSocket (graphql-transport-ws) at this address.")
        if request.method == "GET" and operation.operation is OperationType.MUTATION:
            raise refuse("METHOD_NOT_ALLOWED", "Mutations are sent by POST.")
        return await execution.answer(document, operation, variables, Context(caller, request_id, hub))


def _status(code: str, media_type: str) -> int:
    return STATUS.get(code) or (400 if media_type == GRAPHQL_JSON else 200)


def written(
    body: Mapping[str, Any], media_type: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer in the media type that was asked for."""
    return Response(
        orjson.dumps(body),
        status,
        {
            "content-type": f"{media_type}; charset=utf-8",
            "vary": "accept",
            "cache-control": "no-store",
            **(headers or {}),
        },
    )
