"""What a GraphQL request over HTTP is, and everything that is not one."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request

from schema import errors
from schema.errors import refuse
from web.envelope import BODY_BYTES_MAX

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

CONTENT_TYPE_LENGTH_MAX = 200

NOT_A_REQUEST = "Send a JSON object with a query."


def checked(given: object) -> tuple[str, str | None, dict[str, Any]]:
    """The query, the name of the operation and the variables of a request; refused where one is not right."""
    if isinstance(given, list):
        raise refuse(errors.BAD_REQUEST, "Batching is not supported.")
    if not isinstance(given, dict):
        raise refuse(errors.BAD_REQUEST, NOT_A_REQUEST)
    query, name = given.get("query"), given.get("operationName")
    if query is None or query == "":
        raise refuse(errors.BAD_REQUEST, NOT_A_REQUEST)
    if not isinstance(query, str):
        raise refuse(errors.BAD_REQUEST, "query must be a text.")
    if name is not None and not isinstance(name, str):
        raise refuse(errors.BAD_REQUEST, "operationName must be a text.")
    for part in ("variables", "extensions"):
        if not isinstance(given.get(part), dict | None):
            raise refuse(errors.BAD_REQUEST, f"{part} must be an object.")
    return query, name, given.get("variables") or {}


def marked(found: tuple[errors.Error, ...] | list[errors.Error], request_id: str) -> list[errors.Error]:
    """The errors with the id under which the log has the request."""
    return [{**error, "extensions": {**error["extensions"], "requestId": request_id}} for error in found]


def from_url(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = dict(request.query_params)
    for part in ("variables", "extensions"):
        text = given.pop(part, "")
        if text:
            try:
                given[part] = orjson.loads(text)
            except orjson.JSONDecodeError:
                raise refuse(errors.BAD_REQUEST, f"{part} is not valid JSON.") from None
    return given


async def from_body(request: Request) -> tuple[object, bool]:
    """What a body says, and whether it is larger than what most operations may send."""
    if not _is_json(request.headers.get("content-type", "")[:CONTENT_TYPE_LENGTH_MAX]):
        raise refuse("UNSUPPORTED_MEDIA_TYPE", "Send application/json.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise refuse("UNSUPPORTED_MEDIA_TYPE", "Send the request body uncompressed.")
    body = await request.body()
    large = len(body) > BODY_BYTES_MAX
    try:
        return orjson.loads(body), large
    except orjson.JSONDecodeError:
        if large:
            raise HTTPException(413) from None
        raise refuse(errors.BAD_REQUEST, "The request body is not valid JSON in UTF-8.") from None


@lru_cache(maxsize=100)
def _is_json(content_type: str) -> bool:
    """`application/json`, in UTF-8 if it says so."""
    kind, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [
        value.strip().strip('"') for name, _, value in (p.partition("=") for p in parameters) if name == "charset"
    ]
    return kind == JSON and all(charset in ("utf-8", "utf8") for charset in charsets)


@lru_cache(maxsize=500)
def preferred(accept: str) -> str:
    """The media type of the answer; without a wish that we know it is application/json."""
    wishes = []
    for position, part in enumerate(accept.split(",")):
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        quality = next((value for name, _, value in (p.partition("=") for p in parameters) if name.strip() == "q"), "1")
        if kind in (JSON, GRAPHQL_JSON, "*/*", "application/*"):
            wishes.append((-_number(quality), position, GRAPHQL_JSON if kind == GRAPHQL_JSON else JSON))
    best = min(wishes, default=(0.0, 0, JSON))
    return best[2] if best[0] < 0 else JSON


def _number(quality: str) -> float:
    try:
        return float(quality)
    except ValueError:
        return 0.0
