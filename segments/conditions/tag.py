"""A contact with tags: any of some, all of some, none of some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from kit.card import TagName
from kit.errors import Problem
from kit.sql import Sql, all_of, any_of
from segments.condition import Condition
from segments.names import PLAIN, Names
from segments.places import exists, exists_not
from segments.reading import Reading

TAGS_MAX = 100


@dataclass(frozen=True)
class TagCondition(Condition):
    """Tags by name, in any case; exactly one way of asking. A tag that does not exist is one that nobody has."""

    choose: ClassVar[str] = "one"
    own: ClassVar[str] = "its tags are"
    examples: ClassVar[list[dict[str, Any]]] = [
        {"hasAny": ["vip", "gold"]},
        {"hasAll": ["vip", "gold"]},
        {"hasNone": ["vip"]},
    ]

    has_any: list[TagName] | None = None
    has_all: list[TagName] | None = None
    has_none: list[TagName] | None = None

    def faults(self) -> Iterator[Problem]:
        for key, names in (("hasAny", self.has_any), ("hasAll", self.has_all), ("hasNone", self.has_none)):
            if names == []:
                yield Problem("REQUIRED", "Name at least one tag.", (key,))
            if names and len(names) > TAGS_MAX:
                yield Problem("TOO_LONG", f"Name at most {TAGS_MAX} tags.", (key,))

    def compile(self, reading: Reading) -> Sql:
        if self.has_all is not None:
            return all_of(exists(_tagged([name], reading), reading) for name in self.has_all)
        if self.has_any is not None:
            return exists(_tagged(self.has_any, reading), reading)
        return exists_not(_tagged(self.has_none or [], reading), reading)

    def complement(self, reading: Reading) -> Sql:
        if self.has_all is not None:
            return any_of(exists_not(_tagged([name], reading), reading) for name in self.has_all)
        if self.has_any is not None:
            return exists_not(_tagged(self.has_any, reading), reading)
        return exists(_tagged(self.has_none or [], reading), reading)

    def finds(self, *, complement: bool = False) -> bool:
        return (self.has_none is not None) == complement

    def shown(self, reading: Reading) -> Sql:
        return Sql(
            """(SELECT coalesce(jsonb_agg(t.name ORDER BY lower(t.name)), '[]'::jsonb)
            FROM contact_tag ct JOIN tag t ON t.id = ct.tag_id WHERE ct.contact_id = c.id)"""
        )

    def describe(self, names: Names = PLAIN) -> str:
        if self.has_all is not None:
            return f"tagged {' and '.join(self.has_all)}"
        return (
            f"tagged {' or '.join(self.has_any)}" if self.has_any else f"not tagged {' or '.join(self.has_none or [])}"
        )


def _tagged(names: list[str], reading: Reading) -> Sql:
    """The rows of these tags, in any case."""
    known = reading.tags
    if known is not None and all(name in known for name in names):
        ids = [known[name] for name in names]
        return Sql("FROM contact_tag ct WHERE ct.contact_id = c.id AND ct.tag_id = ANY ({ids}::bigint[])", ids=ids)
    return Sql(
        """FROM contact_tag ct WHERE ct.contact_id = c.id AND ct.tag_id = ANY (ARRAY(
            SELECT t.id FROM tag t WHERE lower(t.name) IN (SELECT lower(w) FROM unnest({names}::text[]) w)))""",
        names=names,
    )
