"""Signed words that leave the house in a link and cannot be made up by anybody else."""

from __future__ import annotations

import hashlib
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

TOKEN_LENGTH_MAX = 200


def sign(secret: bytes, purpose: str, payload: Any) -> str:
    """The payload (small JSON, readable by anybody) as letters for a link, with an HMAC of 256 bits.

    What is signed for one purpose is worth nothing for another.
    """
    written = _serializer(secret, purpose).dumps(payload)
    return written.decode() if isinstance(written, bytes) else written


def read(secret: bytes, purpose: str, token: object) -> Any:
    """The payload of a token that we signed for this purpose; None for everything else. Takes constant time."""
    if not isinstance(token, str) or len(token) > TOKEN_LENGTH_MAX or not token.isascii():
        return None
    try:
        return _serializer(secret, purpose).loads(token)
    except BadData:
        return None


def _serializer(secret: bytes, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(
        secret, salt=f"parcours:{purpose}", signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
    )
