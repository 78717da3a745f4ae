"""A contact that was given a tag, and has it still, at such a time: in the last 30 days, before May."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from kit.card import TagName
from kit.sql import TRUE, Sql
from segments.having import Having
from segments.names import PLAIN, Names
from segments.reading import Reading
from segments.when import When


@dataclass(frozen=True)
class TaggedCondition(Having):
    """Without a tag: any tag. `is: false` finds who was given no such one."""

    own: ClassVar[str] = "the latest time that it was given one is"
    examples: ClassVar[list[dict[str, Any]]] = [
        {"tag": "vip", "at": {"op": "IN_LAST", "value": {"days": 30}}},
        {"at": {"op": "BEFORE", "value": "2026-03-29"}, "is": False},
    ]

    at: When
    tag: TagName | None = None
    is_: bool = True

    def rows(self, reading: Reading) -> Sql:
        return Sql("{tagged} AND {then}", tagged=self._tagged(), then=self.at.test(Sql("ct.added_at"), reading))

    def shown(self, reading: Reading) -> Sql:
        return Sql("(SELECT to_jsonb(max(ct.added_at)) {tagged})", tagged=self._tagged())

    def _tagged(self) -> Sql:
        """All that it was given, or the one, whenever that was."""
        return Sql(
            "FROM contact_tag ct WHERE ct.contact_id = c.id AND {this_one}",
            this_one=TRUE
            if self.tag is None
            else Sql(
                "ct.tag_id = ANY (ARRAY(SELECT t.id FROM tag t WHERE lower(t.name) = lower({name}::text)))",
                name=self.tag,
            ),
        )

    def describe(self, names: Names = PLAIN) -> str:
        return self.told("tagged", self.tag or "with any tag", self.at.describe("where that"))
