"""Webhooks: tell another server, signed after Standard Webhooks, so that it knows that it was us, and heard us once."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from kit import config
from services.channels.http import Answer, Client

PREFIX = "whsec_"


def secrets(account_secret: bytes) -> list[bytes]:
    """What webhooks are signed with, the present one first; without a setting, one that belongs to this account."""
    given = config.settings().webhook_secret
    words = given.get_secret_value().split() if given is not None else [shown(account_secret)]
    return keys(words)


def keys(words: Sequence[str]) -> list[bytes]:
    """Secrets as receivers have them, as what is signed with."""
    return [_key(word) for word in words]


def shown(account_secret: bytes) -> str:
    """The secret that is used where none is set, as receivers write it down."""
    made = hmac.new(account_secret, b"parcours:webhook", hashlib.sha256).digest()
    return PREFIX + base64.b64encode(made).decode()


def _key(word: str) -> bytes:
    try:
        return base64.b64decode(word.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return word.encode()


def headers(keys: list[bytes], name: str, body: bytes, at_seconds: int) -> dict[str, str]:
    """`webhook-id` is the same at every attempt: receivers tell by it what they have heard already."""
    signed = b".".join((name.encode(), str(at_seconds).encode(), body))
    marks = [base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys]
    return {
        "webhook-id": name,
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": " ".join(f"v1,{mark}" for mark in marks),
        "idempotency-key": name,
    }


async def send(client: Client, keys: list[bytes], url: str, body: str, name: str, at_seconds: int) -> Answer:
    """What the other server answered. NotAnswered as by `Client.post`."""
    data = body.encode()
    return await client.post(url, data, headers(keys, name, data, at_seconds))
