"""Passwords of other systems: sealed with the key of this deployment before they are stored."""

from __future__ import annotations

from kit import config, db, vault
from kit.errors import invalid
from kit.sql import Sql


async def seal(secret: str) -> bytes:
    """The secret as it may be stored."""
    return vault.seal(secret, await keys())


async def unseal(sealed: bytes) -> str:
    """The secret again. Refused: it was sealed with a key that this process does not have (SECRET_UNREADABLE)."""
    found = vault.unseal(sealed, await keys())
    if found is None:
        message = "The password was stored under another PARCOURS_SECRET_KEY. Give it once more."
        raise invalid("SECRET_UNREADABLE", message, "password")
    return found


async def keys() -> list[bytes]:
    """What secrets are sealed with, the newest first.

    The account's own secret is in the database it protects: better than nothing, no more.
    """
    given = config.settings().secret_key
    words = given.get_secret_value().split() if given else []
    return [*(word.encode() for word in words), await db.value(Sql("SELECT ac.secret FROM account ac"))]
