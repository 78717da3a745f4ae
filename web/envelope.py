"""What is around every answer: a request id, safe headers, a limit for the body, and a last resort for our faults."""

from __future__ import annotations

import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit import clock, config, log, outage
from web.errors import refusal

BODY_BYTES_MAX = 1_000_000
# For what is about many contacts at once; the API looks whether it is, and who is not known never gets that far.
API_BYTES_MAX = 16_000_000
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}
HSTS = "max-age=31536000; includeSubDomains"

_log = log.get("web")


class Envelope:
    """The outermost middleware. Headers that an answer sets itself (a page's own policy, caching) stay."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        request_id = scope["request_id"] = secrets.token_hex(8)
        with log.bound(request=request_id):
            if scope["type"] == "http":
                await self._http(scope, receive, send, request_id)
            else:
                await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        began, status = clock.ticks(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _complete(MutableHeaders(scope=message), scope["scheme"], request_id)
            await send(message)

        try:
            most = _bytes_max(scope)
            if _length(scope) > most:
                words = f"The request body is larger than {most // 1_000_000:,} MB."
                refused = refusal(413, request_id, {"connection": "close"}, message=words)
                await refused(scope, receive, send_with_headers)
            else:
                await self.app(scope, _limited(receive, most), send_with_headers)
        except Exception as error:
            away = outage.is_outage(error)
            _log.log(30 if away else 40, "away" if away else "request failed", path=scope["path"], exc_info=error)
            if status:
                raise  # half an answer is out: only closing the connection tells
            await refusal(503 if away else 500, request_id)(scope, receive, send_with_headers)
        took = round((clock.ticks() - began) * 1000, 1)
        _log.debug("request", method=scope["method"], path=scope["path"], status=status, milliseconds=took)


def _complete(headers: MutableHeaders, scheme: str, request_id: str) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if scheme == "https":
        headers.setdefault("strict-transport-security", HSTS)
    headers["x-request-id"] = request_id


def _length(scope: Scope) -> int:
    given = Headers(scope=scope).get("content-length", "0")
    return int(given) if given.isdigit() and len(given) < 20 else 0


def _bytes_max(scope: Scope) -> int:
    """Files are large, and so are many contacts at once; everything else is small."""
    if scope["path"] == "/files":
        return config.settings().upload_megabytes * 1_000_000
    if scope["path"] == "/graphql" and "authorization" in Headers(scope=scope):
        return API_BYTES_MAX
    return BODY_BYTES_MAX


def _limited(receive: Receive, most: int) -> Receive:
    """For bodies that do not say how long they are."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > most:
            raise HTTPException(413)
        return message

    return counted
