"""One WebSocket by the graphql-transport-ws protocol: many operations on one connection of one caller."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from dataclasses import replace
from typing import Any

import orjson
from graphql import OperationDefinitionNode, OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.http.websocket_origin import is_same_origin

from kit import log, outage
from schema import errors, execution
from schema.context import Context
from schema.documents import Document, Documents
from schema.errors import Error, RequestError, refuse
from web import auth
from web.live import CatchingUp, Hub
from web.request import checked, marked
from web.sockets import Sockets

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS_MAX = 10
OPERATIONS_MAX = 20
ID_LENGTH_MAX = 200
RETRY_SECONDS = 1

_log = log.get("socket")


class _Close(Exception):
    """The protocol asks to close with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Socket:
    """A connection from its handshake to its end."""

    def __init__(
        self, socket: WebSocket, documents: Documents, origins: frozenset[str], hub: Hub, sockets: Sockets
    ) -> None:
        self.token = ""
        self.user_id: int | None = None
        self._socket = socket
        self._documents = documents
        self._origins = origins
        self._hub = hub
        self._sockets = sockets
        self._initialised = self._acknowledged = False
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Serve until one side closes."""
        if not self._is_welcome():
            await self._socket.close(1008)  # before it is accepted: the handshake is answered with 403
            return
        if PROTOCOL not in self._socket.scope["subprotocols"]:
            await self._socket.accept()
            await self._close(4406, "Subprotocol not acceptable")
            return
        await self._socket.accept(PROTOCOL)
        impatience = asyncio.create_task(self._expect_init())
        try:
            while True:
                await self._hear(await self._receive())
        except _Close as closing:
            await self._close(closing.code, closing.reason)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the other side has gone, or we have closed meanwhile
        finally:
            self._sockets.leave(self)
            running = [impatience, *self._operations.values()]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def forbid(self) -> None:
        await self._close(4403, "Forbidden")

    def _is_welcome(self) -> bool:
        """Pages of other origins only where the operator allows them; programs send no origin."""
        headers = self._socket.headers
        origin = headers.get("origin")
        return origin is None or origin in self._origins or is_same_origin(origin, headers.get("host"))

    async def _expect_init(self) -> None:
        await asyncio.sleep(INIT_SECONDS_MAX)
        if not self._initialised:
            await self._close(4408, "Connection initialisation timeout")

    async def _receive(self) -> dict[str, Any]:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        if text is None:
            raise _Close(4400, "WebSocket message type must be text")
        try:
            content = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise _Close(4400, "WebSocket message must be valid JSON") from None
        if not isinstance(content, dict):
            raise _Close(4400, "Invalid message received")
        return content

    async def _hear(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "connection_init":
                await self._init(message.get("payload"))
            case "ping":
                payload = message.get("payload")
                await self._send({"type": "pong", **({"payload": payload} if isinstance(payload, dict) else {})})
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(message.get("id"), message.get("payload"))
            case "complete":
                task = self._operations.pop(str(message.get("id")), None)
                if task:
                    task.cancel()
            case _:
                raise _Close(4400, "Invalid message received")

    async def _init(self, payload: object) -> None:
        if self._initialised:
            raise _Close(4429, "Too many initialisation requests")
        self._initialised = True
        given = payload if isinstance(payload, dict) else {}
        self.token = auth.from_payload(given) or auth.bearer(self._socket.headers.get("authorization")) or ""
        try:
            caller = await auth.caller(self.token or None)
        except Exception as error:
            raise _failed_to_ask(error) from error
        if caller is None:
            raise _Close(4401, "Unauthorized")
        self.user_id = caller.user_id
        if not self._sockets.admit(self):
            raise _Close(4429, "Too many connections")
        self._acknowledged = True
        await self._send({"type": "connection_ack"})

    async def _subscribe(self, name: object, payload: object) -> None:
        if not self._acknowledged:
            raise _Close(4401, "Unauthorized")
        if not isinstance(name, str) or not name or len(name) > ID_LENGTH_MAX or not isinstance(payload, dict):
            raise _Close(4400, "Invalid message received")
        if name in self._operations:
            raise _Close(4409, f"Subscriber for {name[:50]} already exists")
        if len(self._operations) >= OPERATIONS_MAX:
            message = f"This socket has {OPERATIONS_MAX} operations running; at most {OPERATIONS_MAX} are allowed."
            refused = refuse(errors.RATE_LIMITED, message)
            await self._send({"id": name, "type": "error", "payload": marked(refused.errors, secrets.token_hex(8))})
            return
        self._operations[name] = asyncio.create_task(self._operate(name, payload))

    async def _operate(self, name: str, payload: dict[str, Any]) -> None:
        request_id = secrets.token_hex(8)
        with log.bound(request=request_id):
            try:
                failed = await self._execute(name, payload, request_id)
            except RequestError as refused:
                failed = list(refused.errors)
            except (WebSocketDisconnect, RuntimeError):
                return
            except Exception as error:
                failed = list(_told(error).errors)
        if self._operations.get(name) is not asyncio.current_task():
            return  # completed by the other side meanwhile
        del self._operations[name]
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            if failed:
                await self._send({"id": name, "type": "error", "payload": marked(failed, request_id)})
            else:
                await self._send({"id": name, "type": "complete"})

    async def _execute(self, name: str, payload: dict[str, Any], request_id: str) -> list[Error]:
        """Send what comes out; returns the errors that end the operation, if any do."""
        query, operation_name, variables = checked(payload)
        caller = await auth.caller(self.token)
        if caller is None:
            await self.forbid()
            raise WebSocketDisconnect(4403)
        context = Context(caller, request_id, self._hub)
        document = self._documents.read(query)
        operation = document.operation(operation_name)
        if operation.operation is OperationType.SUBSCRIPTION:
            return await self._follow(name, document, operation, variables, context)
        await self._next(name, await execution.answer(document, operation, variables, context), request_id)
        return []

    async def _follow(
        self,
        name: str,
        document: Document,
        operation: OperationDefinitionNode,
        variables: dict[str, Any],
        context: Context,
    ) -> list[Error]:
        """Send every answer of a subscription. One whose database is away is told so once, and begins again."""
        told = False
        while True:
            lost = False
            async with contextlib.aclosing(execution.stream(document, operation, variables, context)) as answers:
                async for answer in answers:
                    lost = answer.source_failed and errors.is_unavailable(answer.errors)
                    if answer.source_failed and not lost:
                        return answer.errors
                    if not (lost and told):
                        await self._next(name, answer, context.request_id)
                    told = lost
            if not lost:
                return []
            await asyncio.sleep(RETRY_SECONDS)
            context = replace(context, live=CatchingUp(self._hub))

    async def _next(self, name: str, answer: execution.Answer, request_id: str) -> None:
        payload: dict[str, Any] = {"data": answer.data}
        if answer.errors:
            payload["errors"] = marked(answer.errors, request_id)
        await self._send({"id": name, "type": "next", "payload": payload})

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(orjson.dumps(message).decode())

    async def _close(self, code: int, reason: str) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.close(code, reason)


def _told(error: Exception) -> RequestError:
    """What a caller hears of a failure outside of any field."""
    if outage.is_outage(error):
        return refuse(errors.UNAVAILABLE, errors.UNAVAILABLE_MESSAGE)
    _log.error("operation failed", exc_info=error)
    return refuse(errors.INTERNAL, "Internal error.")


def _failed_to_ask(error: Exception) -> _Close:
    """The token could not be looked up: clients come again after 1013."""
    if outage.is_outage(error):
        return _Close(1013, "Try again later")
    _log.error("handshake failed", exc_info=error)
    return _Close(4500, "Internal error")
