"""A contact that is on a list, or is not: with this status, by this way, since then."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from kit.card import ListId
from kit.sql import TRUE, Sql
from segments.having import Having, tested
from segments.names import PLAIN, Names
from segments.reading import Reading
from segments.when import When


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
class MembershipCondition(Having):
    """All parameters are about the same membership, without a list of any mail goes by; `is: false`: no such one."""

    own: ClassVar[str] = "how it stands there is"
    examples: ClassVar[list[dict[str, Any]]] = [
        {"listId": "list_1"},
        {"listId": "list_1", "status": "UNSUBSCRIBED", "source": "CONTACT"},
        {"listId": "list_1", "is": False},
        {"status": "ACTIVE"},
        {"status": "ACTIVE", "subscribedAt": {"op": "ON_OR_AFTER", "value": "2026-01-01"}},
    ]

    list_id: ListId | None = None
    status: MembershipStatus = MembershipStatus.ACTIVE
    source: MembershipSource | None = None
    subscribed_at: When | None = None
    is_: bool = True

    def rows(self, reading: Reading) -> Sql:
        return Sql(
            """FROM membership m
            WHERE m.contact_id = c.id AND m.status = {status}::text AND {on_list} AND {by_source} AND {since}""",
            status=self.status.value,
            on_list=Sql("m.list_id = {id}::bigint", id=self.list_id) if self.list_id else _MAILING,
            by_source=Sql("coalesce(m.source, 'UNKNOWN') = {source}::text", source=self.source.value)
            if self.source
            else TRUE,
            since=tested(self.subscribed_at, Sql("m.subscribed_at"), reading),
        )

    def shown(self, reading: Reading) -> Sql:
        return Sql(
            """(SELECT
                coalesce(jsonb_agg(jsonb_build_object('list', l.name, 'status', m.status) ORDER BY m.id), '[]'::jsonb)
            FROM membership m JOIN contact_list l ON l.id = m.list_id
            WHERE m.contact_id = c.id AND {on_list})""",
            on_list=Sql("m.list_id = {id}::bigint", id=self.list_id) if self.list_id else TRUE,
        )

    def describe(self, names: Names = PLAIN) -> str:
        return self.told(
            _WORDS[self.status],
            names.of("list", self.list_id) if self.list_id else "any list",
            f"by source {self.source.value.lower()}" if self.source else "",
            self.subscribed_at.describe("where its subscription") if self.subscribed_at else "",
        )


_MAILING = Sql("m.list_id IN (SELECT l.id FROM contact_list l WHERE l.kind = 'MAILING')")
_WORDS = {
    MembershipStatus.ACTIVE: "on",
    MembershipStatus.UNCONFIRMED: "not yet confirmed on",
    MembershipStatus.UNSUBSCRIBED: "unsubscribed from",
    MembershipStatus.BOUNCED: "bounced off",
}
