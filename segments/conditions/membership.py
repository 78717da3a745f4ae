"""A contact that is on a list, or is not: with this status, by this way, since then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from kit.card import ListId, camel
from kit.errors import Problem
from kit.sql import TRUE, Sql, all_of, any_of
from segments.having import Having, tested
from segments.names import PLAIN, Names
from segments.places import exists, exists_not
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


LISTS_MAX = 100
_WAYS = ("list_id", "any_of", "all_of", "none_of")


@dataclass(frozen=True)
class MembershipCondition(Having):
    """All parameters are about the same membership, without a list of any mail goes by; `is: false`: no such one.

    `listId` names one list, `anyOf` several of which one will do, `noneOf` several on none of which there is such a
    membership, `allOf` several on each of which there is one.
    """

    own: ClassVar[str] = "how it stands there is"
    examples: ClassVar[list[dict[str, Any]]] = [
        {"listId": "list_1"},
        {"listId": "list_1", "status": "UNSUBSCRIBED", "source": "CONTACT"},
        {"listId": "list_1", "is": False},
        {"status": "ACTIVE"},
        {"status": "ACTIVE", "subscribedAt": {"op": "ON_OR_AFTER", "value": "2026-01-01"}},
        {"anyOf": ["list_1", "list_2"], "status": "UNSUBSCRIBED"},
        {"allOf": ["list_1", "list_2"]},
        {"noneOf": ["list_1"]},
    ]

    list_id: ListId | None = None
    any_of: list[ListId] | None = None
    all_of: list[ListId] | None = None
    none_of: list[ListId] | None = None
    status: MembershipStatus = MembershipStatus.ACTIVE
    source: MembershipSource | None = None
    subscribed_at: When | None = None
    is_: bool = True

    def faults(self) -> Iterator[Problem]:
        given = [way for way in _WAYS if getattr(self, way) is not None]
        if len(given) > 1:
            message = "Name lists by one of listId, anyOf, allOf and noneOf."
            yield Problem("INVALID_VALUE", message, (camel(given[1]),))
        for way in _WAYS[1:]:
            named = getattr(self, way)
            if named == []:
                yield Problem("REQUIRED", "Name at least one list.", (camel(way),))
            if named and len(named) > LISTS_MAX:
                yield Problem("TOO_LONG", f"Name at most {LISTS_MAX} lists.", (camel(way),))

    def compile(self, reading: Reading) -> Sql:
        return self._compiled(reading, self._there_is)

    def complement(self, reading: Reading) -> Sql:
        return self._compiled(reading, not self._there_is)

    def finds(self, *, complement: bool = False) -> bool:
        return self._there_is != complement and not (self.all_of and complement)

    @property
    def _there_is(self) -> bool:
        return self.is_ if self.none_of is None else not self.is_

    @property
    def _lists(self) -> list[int] | None:
        one = None if self.list_id is None else [self.list_id]
        return one or self.any_of or self.all_of or self.none_of

    def _compiled(self, reading: Reading, there_is: bool) -> Sql:
        way = exists if there_is else exists_not
        if self.all_of is None:
            return way(self.rows(reading), reading)
        each = (way(self._rows([number], reading), reading) for number in self.all_of)
        return all_of(each) if there_is else any_of(each)

    def rows(self, reading: Reading) -> Sql:
        return self._rows(self._lists, reading)

    def _rows(self, lists: list[int] | None, reading: Reading) -> Sql:
        return Sql(
            """FROM membership m
            WHERE m.contact_id = c.id AND m.status = {status}::text AND {on_list} AND {by_source} AND {since}""",
            status=self.status.value,
            on_list=_on(lists) or _MAILING,
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
            on_list=_on(self._lists) or TRUE,
        )

    def describe(self, names: Names = PLAIN) -> str:
        found = [names.of("list", number) for number in self._lists or ()]
        words = [
            _WORDS[self.status],
            (" and " if self.all_of else " or ").join(found) if found else "any list",
            f"by source {self.source.value.lower()}" if self.source else "",
            self.subscribed_at.describe("where its subscription") if self.subscribed_at else "",
        ]
        return " ".join(word for word in ("" if self._there_is else "not", *words) if word)


def _on(lists: list[int] | None) -> Sql | None:
    """The membership is on one of these."""
    if lists is None:
        return None
    if len(lists) == 1:
        return Sql("m.list_id = {id}::bigint", id=lists[0])
    return Sql("m.list_id = ANY ({ids}::bigint[])", ids=lists)


_MAILING = Sql("m.list_id IN (SELECT l.id FROM contact_list l WHERE l.kind = 'MAILING')")
_WORDS = {
    MembershipStatus.ACTIVE: "on",
    MembershipStatus.UNCONFIRMED: "not yet confirmed on",
    MembershipStatus.UNSUBSCRIBED: "unsubscribed from",
    MembershipStatus.BOUNCED: "bounced off",
}
