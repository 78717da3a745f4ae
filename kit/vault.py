"""Secrets that must be read again: kept so that nobody can read them without the key."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

KEY_LENGTH_MIN = 32


def seal(secret: str, keys: Sequence[bytes]) -> bytes:
    """The secret under the first key: AES in CBC mode with an HMAC, different every time."""
    return _box(keys[:1]).encrypt(secret.encode())


def unseal(sealed: bytes, keys: Sequence[bytes]) -> str | None:
    """What was sealed with any of the keys; None where it was with none of them."""
    from cryptography.fernet import InvalidToken

    try:
        return _box(keys).decrypt(sealed).decode()
    except InvalidToken:
        return None


def _box(keys: Sequence[bytes]) -> MultiFernet:
    """Keys are texts of any form; each is made one of 256 bits, which serves this purpose alone."""
    from cryptography.fernet import Fernet, MultiFernet  # takes a while, and most processes never need it

    made = [hmac.new(key, b"parcours:vault", hashlib.sha256).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in made])
