"""When a rule that somebody waits for is looked at again, because time alone may make it come true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from kit import db
from kit.sql import Sql, join
from segments import rule
from segments.reading import Reading

LOOK_EVERY = timedelta(seconds=60)  # at rules that do not say when time changes them


async def next_looks(conditions: Sequence[rule.Condition], contacts: Sql, reading: Reading) -> dict[int, datetime]:
    """For each contact the first instant at which time may change what one of the rules says; who is not there: never.

    One statement, and none where time changes nothing.
    """
    moving = [each for each in conditions if each.depends_on_time]
    if not moving:
        return {}
    few = replace(reading, of_few=True)
    flips = [_flip(each, few) for each in moving]
    rows = await db.rows(
        Sql(
            """
            SELECT c.id, (SELECT min(w.at) FROM unnest(ARRAY[{flips}]) AS w (at)) AS at
            FROM contact c
            WHERE c.id IN (SELECT candidate.id FROM ({contacts}) AS candidate)
            """,
            flips=join(", ", flips),
            contacts=contacts,
        )
    )
    # What is just now changing is looked at a moment later, not for ever at this one.
    soonest = reading.now + timedelta(milliseconds=1)
    return {row["id"]: max(row["at"], soonest) for row in rows if row["at"] is not None}


def _flip(condition: rule.Condition, reading: Reading) -> Sql:
    try:
        found = condition.flips(reading)
    except NotImplementedError:
        return Sql("{at}::timestamptz", at=reading.now + LOOK_EVERY)
    return Sql("NULL::timestamptz") if found is None else found
