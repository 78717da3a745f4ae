"""A contact that is on a list, or is not: with this status, by this way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from kit import ids
from kit.card import ListId
from kit.sql import TRUE, Sql
from segments.condition import Condition
from segments.places import exists, exists_not
from segments.reading import Reading


class MembershipStatus(Enum):
    """How a contact stands on a list."""

    ACTIVE = "ACTIVE"
    UNCONFIRMED = "UNCONFIRMED"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    BOUNCED = "BOUNCED"


class MembershipSource(Enum):
    """Who made a membership what it is."""

    CONTACT = "CONTACT"
    MANUAL = "MANUAL"
    AUTOMATION = "AUTOMATION"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class MembershipCondition(Condition):
    """List (without one: any), status and source are of the same membership; `is: false` finds who has no such one."""

    examples: ClassVar[list[dict[str, Any]]] = [
        {"listId": "list_1"},
        {"listId": "list_1", "status": "UNSUBSCRIBED", "source": "CONTACT"},
        {"listId": "list_1", "is": False},
        {"status": "ACTIVE"},
    ]

    list_id: ListId | None = None
    status: MembershipStatus = MembershipStatus.ACTIVE
    source: MembershipSource | None = None
    is_: bool = True

    def compile(self, reading: Reading) -> Sql:
        return exists(self._rows(), reading) if self.is_ else exists_not(self._rows(), reading)

    def complement(self, reading: Reading) -> Sql:
        return exists_not(self._rows(), reading) if self.is_ else exists(self._rows(), reading)

    def describe(self) -> str:
        words = [
            "" if self.is_ else "not",
            _WORDS[self.status],
            ids.give("list", self.list_id) if self.list_id else "any list",
            f"by source {self.source.value.lower()}" if self.source else "",
        ]
        return " ".join(word for word in words if word)

    def _rows(self) -> Sql:
        return Sql(
            """FROM membership m
            WHERE m.contact_id = c.id AND m.status = {status}::text AND {on_list} AND {by_source}""",
            status=self.status.value,
            on_list=Sql("m.list_id = {id}::bigint", id=self.list_id) if self.list_id else TRUE,
            by_source=Sql("coalesce(m.source, 'UNKNOWN') = {source}::text", source=self.source.value)
            if self.source
            else TRUE,
        )


_WORDS = {
    MembershipStatus.ACTIVE: "on",
    MembershipStatus.UNCONFIRMED: "not yet confirmed on",
    MembershipStatus.UNSUBSCRIBED: "unsubscribed from",
    MembershipStatus.BOUNCED: "bounced off",
}
