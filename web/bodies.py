"""Bodies of requests: of the kinds that are taken, and not larger than is taken."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

CONTENT_TYPE_LENGTH_MAX = 200


def kind_of(request: Request, *kinds: str, default: str = "") -> str:
    """Which of these media types the body is. HTTPException (415): another one, or a compressed body."""
    said = request.headers.get("content-type", default)[:CONTENT_TYPE_LENGTH_MAX]
    kind = said.partition(";")[0].strip().lower()
    if kind not in kinds:
        raise HTTPException(415, f"Send {' or '.join(kinds)}.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "Send the request body uncompressed.")
    return kind


async def read(request: Request, *, kilobytes_max: int) -> bytes:
    """The body. HTTPException (413): it is larger; then nothing more of it is read."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > kilobytes_max * 1_000:
            message = f"The request body is larger than {kilobytes_max:,} kB."
            raise HTTPException(413, message, {"connection": "close"})
    return bytes(body)
