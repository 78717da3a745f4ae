"""Secrets that are shown once and kept as a hash."""

from __future__ import annotations

import base64
import hashlib
import secrets

PREFIX = "parcours_"
SECRET_BYTES = 20  # 160 bits
SHOWN_LENGTH = len(PREFIX) + 4


def make() -> str:
    """A new secret of 160 random bits behind a prefix that secret scanners recognise."""
    return PREFIX + base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode().lower()


def digest(secret: str) -> bytes:
    """What is stored in place of the secret. A fast hash is right for something that cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def shown(secret: str) -> str:
    """The first characters, to tell tokens apart in a list; of a short secret, nothing that would help to guess it."""
    return secret[:SHOWN_LENGTH] if secret.startswith(PREFIX) else secret[:2]
