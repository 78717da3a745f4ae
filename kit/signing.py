"""Signed words that leave the house in a link and cannot be made up by anybody else."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Any

import orjson
from itsdangerous import BadData, Signer, URLSafeSerializer

TOKEN_LENGTH_MAX = 200
_HOW: dict[str, Any] = {"key_derivation": "hmac", "digest_method": hashlib.sha256}


def sign(secret: bytes, purpose: str, payload: Any) -> str:
    """The payload (small JSON, readable by anybody) as letters for a link, with an HMAC of 256 bits.

    What is signed for one purpose is worth nothing for another.
    """
    # As `_serializer` writes it, which also tries whether small texts can be packed: most of its time, in every mail.
    word = urlsafe_b64encode(orjson.dumps(payload)).rstrip(b"=")
    mark = urlsafe_b64encode(hmac.digest(_key(secret, purpose), word, "sha256")).rstrip(b"=")
    return (word + b"." + mark).decode()


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
def _key(secret: bytes, purpose: str) -> bytes:
    return Signer(secret, salt=f"parcours:{purpose}", **_HOW).derive_key()


@lru_cache(maxsize=32)
def _serializer(secret: bytes, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt=f"parcours:{purpose}", signer_kwargs=_HOW)
