"""Signed words that leave the house in a link and cannot be made up by anybody else."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

TOKEN_LENGTH_MAX = 200


def sign(secret: bytes, purpose: str, payload: Any) -> str:
    """The payload (small JSON, readable by anybody) as letters for a link, with an HMAC of 256 bits.

    What is signed for one purpose is worth nothing for another.
    """
    written = _serializer(secret, purpose).dumps(payload)
    return written.decode() if isinstance(written, bytes) else written


def read(secret: bytes, purpose: str, token: object, *, length_max: int = TOKEN_LENGTH_MAX) -> Any:
    """The payload of a token that we signed for this purpose; None for everything else. Takes constant time."""
    if not isinstance(token, str) or len(token) > length_max or not token.isascii():
        return None
    try:
        return _serializer(secret, purpose).loads(token)
    except BadData:
        return None


def tag(secret: bytes, purpose: str, number: int) -> str:
    """A short keyed mark of a number (128 bits, in hex), where there is no room for a signed link."""
    return hmac.new(secret, f"parcours:{purpose}:{number}".encode(), hashlib.sha256).hexdigest()[:32]


def same(one: str, other: str) -> bool:
    """Whether two marks are equal, in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


@lru_cache(maxsize=32)
def _serializer(secret: bytes, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        secret, salt=f"parcours:{purpose}", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
    )
