"""How the web says no: JSON in one form, whatever went wrong, with a code for programs and a sentence for people."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from kit import outage
from kit.db import jsonb

CODES = {
    400: ("BAD_REQUEST", "The request cannot be understood."),
    401: ("UNAUTHENTICATED", "The token is missing or no longer valid."),
    403: ("FORBIDDEN", "This is not allowed."),
    404: ("NOT_FOUND", "There is nothing at this address."),
    405: ("METHOD_NOT_ALLOWED", "This address does not know this method."),
    413: ("PAYLOAD_TOO_LARGE", "The request body is larger than 1 MB."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "Send application/json."),
    429: ("RATE_LIMITED", "Too many requests. Try again later."),
    500: ("INTERNAL_SERVER_ERROR", "Internal error."),
    503: ("SERVICE_UNAVAILABLE", "The service is not available at the moment. Try again in a few seconds."),
}


def refusal(
    status: int, request_id: str, headers: dict[str, str] | None = None, *, message: str | None = None
) -> Response:
    """The answer for a status, in the form GraphQL clients read; `message` where there is more to say."""
    code, usual = CODES.get(status) or ("BAD_REQUEST" if status < 500 else CODES[500][0], HTTPStatus(status).phrase)
    body = {"errors": [{"message": message or usual, "extensions": {"code": code, "requestId": request_id}}]}
    more = {"retry-after": str(outage.RETRY_AFTER_SECONDS)} if status == 503 else {}
    return Response(jsonb(body), status, {**more, **(headers or {})}, media_type="application/json")


async def on_http_exception(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: unknown addresses, wrong methods, too large bodies."""
    assert isinstance(error, HTTPException)
    return refusal(error.status_code, request.scope.get("request_id", ""), dict(error.headers or {}))
