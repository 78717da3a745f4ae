"""What segments are at this moment: who is in them, in words, and whether everything they name is still there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from kit import db
from kit.card import Reference
from kit.sql import FALSE, Sql
from segments import rule
from segments.names import names
from segments.rule import Condition, Reading
from services.references import unknown

UNREADABLE = "nobody: this rule can no longer be read"


@dataclass(frozen=True, slots=True)
class State:
    """One segment. `members` is a condition over the contact alias `c`; `each` the same, asked of one contact after the
    other, where that finds pages sooner."""

    id: int
    members: Sql
    each: Sql | None
    description: str
    broken: bool


async def read(segment_ids: Iterable[int] | None, *, now: datetime, with_broken: bool = False) -> list[State]:
    """These segments, or all (None); what is not there is left out. Without `with_broken` none is said to be."""
    reading = await rule.reading(now)
    wanted = reading.segments if segment_ids is None else [each for each in segment_ids if each in reading.segments]
    conditions = {each: rule.saved(reading.segments[each]) for each in wanted}
    reading = await rule.knowing(reading, *conditions.values())
    called = await names(ref for each in conditions.values() if each is not None for ref in each.references())
    broken = await with_broken_references(conditions, reading) if with_broken else set()
    return [
        State(
            number,
            FALSE if condition is None else condition.compile(reading),
            None if condition is None else rule.one_by_one(condition, reading),
            UNREADABLE if condition is None else condition.describe(called),
            number in broken,
        )
        for number, condition in conditions.items()
    ]


async def with_broken_references(conditions: dict[int, Condition | None], reading: Reading) -> set[int]:
    """Those that name a tag, field, list or anything else that is not there, or cannot be read."""
    found = {number for number, condition in conditions.items() if condition is None}
    # The first step of a path is the segment's number, so that faults can be told apart.
    named = [
        each
        for number, condition in conditions.items()
        if condition is not None
        for each in condition.references((str(number),))
    ]
    found |= {int(problem.path[0]) for problem in await unknown(named)}
    found |= {int(each.path[0]) for each in named if each.kind == "field" and reading.field(str(each.key)) is None}
    return found | await _of_unknown_tags([each for each in named if each.kind == "tag"])


async def _of_unknown_tags(named: Sequence[Reference]) -> set[int]:
    if not named:
        return set()
    known = set(
        await db.column(
            Sql(
                """
                SELECT w.name
                FROM unnest({names}::text[]) AS w (name)
                WHERE EXISTS (SELECT FROM tag t WHERE lower(t.name) = lower(w.name))
                """,
                names=[str(each.key) for each in named],
            )
        )
    )
    return {int(each.path[0]) for each in named if str(each.key) not in known}
