"""The links of a mail that lead back to us: leaving, opens and clicks. Signed, so that nobody can make one up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kit import config, db, signing
from kit.sql import Sql
from kit.web import web_address

LEAVE, OPEN, CLICK = "unsubscribe", "open", "click"
TARGET_LENGTH_MAX = 1_500  # longer addresses lead where they lead, unnoted
TOKEN_LENGTH_MAX = 4_000


@dataclass(frozen=True, slots=True)
class Links:
    """Makes the links of one delivery."""

    secret: bytes
    base: str
    delivery_id: int
    contact_id: int | None

    def leave(self) -> str:
        """By which the contact leaves at once; it has no address in it, and works as long as the contact is known."""
        return self._link("u", LEAVE, [self.delivery_id, self.contact_id])

    def nowhere(self) -> str:
        """What stands in a test instead: it looks like such a link, and nobody leaves by it."""
        return f"{self.base}/u/test"

    def opened(self) -> str:
        return self._link("o", OPEN, self.delivery_id) + ".gif"

    def clicked(self, target: str) -> str:
        """A link that notes the click and leads on; only to what stands signed in it."""
        if len(target) > TARGET_LENGTH_MAX or target.startswith(f"{self.base}/u/") or not web_address(target):
            return target
        return self._link("c", CLICK, [self.delivery_id, target])

    def _link(self, path: str, purpose: str, payload: Any) -> str:
        return f"{self.base}/{path}/{signing.sign(self.secret, purpose, payload)}"


async def secret() -> bytes:
    """What links of this account are signed with."""
    return await db.value(Sql("SELECT ac.secret FROM account ac"))


def base() -> str:
    return config.settings().base_url()


async def read(purpose: str, token: str) -> Any:
    """What a link of this purpose says; None for what we did not sign."""
    return signing.read(await secret(), purpose, token, length_max=TOKEN_LENGTH_MAX)


def message_id(key: bytes, delivery_id: int, domain: str) -> str:
    """The Message-ID of a delivery: the same at every attempt, and not to be guessed by who would report bounces."""
    return f"<d{delivery_id}.{_tag(key, delivery_id)}@{domain}>"


def delivery_of(key: bytes, name: str) -> int | None:
    """The delivery of a Message-ID (or of the part before its @); None for one that is not ours."""
    head, _, tag = name.strip().strip("<>").partition("@")[0].partition(".")
    if not head.startswith("d") or not head[1:].isdecimal() or not head.isascii() or len(head) > 20:
        return None
    number = int(head[1:])
    return number if signing.same(_tag(key, number), tag) else None


def _tag(key: bytes, number: int) -> str:
    return signing.tag(key, "message", number)
