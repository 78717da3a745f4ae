"""Who is calling: the bearer token of a request becomes a caller, or the request is refused."""

from __future__ import annotations

from collections.abc import Mapping

from kit.patience import within
from services import tokens
from services.caller import Caller

PATIENCE_SECONDS = 3
TOKEN_LENGTH_MAX = 200

UNAUTHENTICATED_MESSAGE = "The token is missing or no longer valid."
CHALLENGE = 'Bearer realm="parcours"'


def bearer(header: object) -> str | None:
    """The token in the value of an Authorization header, if there is one."""
    if not isinstance(header, str):
        return None
    scheme, _, token = header.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > TOKEN_LENGTH_MAX or not token.isascii():
        return None
    return token if token.isprintable() else None


def from_payload(payload: Mapping[str, object]) -> str | None:
    """The token in the payload of `connection_init`: as a header's value, or alone under `token`."""
    for name, value in payload.items():
        if name.lower() == "authorization" and (token := bearer(value)):
            return token
    alone = payload.get("token")
    return bearer(f"Bearer {alone}") if isinstance(alone, str) else None


async def caller(token: str | None) -> Caller | None:
    """Who the token belongs to; None when it is missing, wrong, expired or revoked: callers cannot tell which.

    Raises TimeoutError when the database does not answer in time.
    """
    if token is None:
        return None
    return await within(PATIENCE_SECONDS, tokens.find(token))
