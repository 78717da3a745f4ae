"""When time alone changes an answer: never told too late, for random contacts, trees and moments."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit import db as database
from kit.sql import Sql, join
from segments import rule
from segments.rule import Condition, Reading
from tests.segments.population import INSTANTS, NOW, ZONE, Stored, people, store
from tests.segments.trees import rules

TREES_A_STATEMENT = 30
LENGTHS = [{"months": 1}, {"days": 2}, {"months": 1, "hours": 1}]
AROUND = [
    datetime(2026, 3, 29, 0, 59, tzinfo=UTC),  # Berlin puts its clocks forward a minute later
    datetime(2026, 10, 25, 0, 59, tzinfo=UTC),  # … and back
    datetime(2024, 2, 28, 23, 30, tzinfo=UTC),  # a leap day begins in Berlin
    datetime(2027, 2, 28, 22, 59, 59, tzinfo=UTC),
    datetime(2027, 3, 30, 22, 0, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 0, tzinfo=UTC),
]


@pytest.fixture
async def stored(db) -> Stored:
    yield await store(people())
    await database.execute(Sql("UPDATE account SET timezone = 'UTC', default_country = 'US'"))


def asked(condition: Condition, reading: Reading, now: datetime) -> tuple[Sql, Sql]:
    then = replace(reading, now=now)
    return condition.compile(then), condition.flips(then) or Sql("NULL::timestamptz")


async def too_late(conditions: list[Condition], reading: Reading, now: datetime, then: datetime) -> list[int]:
    """The numbers of those that answer otherwise then than now for somebody whom no flip is foretold in between."""
    searches = []
    for number, condition in enumerate(conditions):
        today, flips = asked(condition, reading, now)
        later, _ = asked(condition, reading, then)
        searches.append(
            Sql(
                """SELECT {number}::integer FROM contact c
                WHERE ({today}) <> ({later}) AND coalesce({flips}, 'infinity') > {then}::timestamptz
                   OR {flips} <= {now}::timestamptz LIMIT 1""",
                number=number,
                today=today,
                later=later,
                flips=flips,
                now=now,
                then=then,
            )
        )
    return await database.column(join(" UNION ALL ", [Sql("({one})", one=one) for one in searches]))


async def test_an_answer_never_changes_before_it_is_foretold(stored):
    """The contacts' instants, days and tasks all lie around NOW; so do the moments that are compared."""
    reading = replace(stored.reading, timezone=ZONE)
    drawn: list[tuple[list[dict[str, Any]], datetime, timedelta]] = []
    moments = st.sampled_from([*(each for each in INSTANTS if each), *AROUND, NOW]).flatmap(
        lambda at: st.sampled_from(
            [at + timedelta(seconds=by) for by in (-1, 0, 1, -86_400 * 31, 86_400 * 28, 86_400 * 366, 7_200)]
        )
    )
    waits = st.one_of(
        st.timedeltas(timedelta(microseconds=1), timedelta(hours=30)),
        st.timedeltas(timedelta(microseconds=1), timedelta(days=40)),
        st.sampled_from([timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)]),
    )

    @settings(max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(rules(stored), min_size=TREES_A_STATEMENT, max_size=TREES_A_STATEMENT), moments, waits)
    def draw(trees, now, wait):
        drawn.append((trees, now, wait))

    draw()
    for trees, now, wait in drawn:
        conditions = [rule.check(tree, reading) for tree in trees]
        late = await too_late(conditions, reading, now, now + wait)
        assert not late, (trees[late[0]], now, wait)


async def test_windows_by_the_calendar_are_foretold_through_short_months_and_changes_of_the_clock(stored):
    """Every operator around now, through the days that are not like others."""
    reading = replace(stored.reading, timezone=ZONE)
    wheres = [
        {"field": {"name": name, "op": op, "value": length}}
        for name in ("visited", "birthday")
        for op in ("IN_LAST", "IN_NEXT", "MORE_THAN_AGO")
        for length in LENGTHS
        if name == "visited" or "hours" not in length
    ] + [{"field": {"name": "birthday", "op": "ANNIVERSARY_IN_NEXT", "value": {"months": 1}}}]
    conditions = [rule.check(where, reading) for where in wheres]
    for start in AROUND[:3]:
        await database.execute(
            Sql(
                """UPDATE field_value v
                SET time_value = {at}::timestamptz - make_interval(days => (v.contact_id % 4)::integer, mins => 90),
                    date_value = {at}::date - (v.contact_id % 4)::integer
                WHERE time_value IS NOT NULL OR date_value IS NOT NULL""",
                at=start,
            )
        )
        for months in (0, 1, -1):
            for hours in range(-30, 42, 9):
                now = start + timedelta(days=30 * months + (1 if months else 0), hours=hours, minutes=17)
                late = await too_late(conditions, reading, now, now + timedelta(hours=8, minutes=31))
                assert not late, (wheres[late[0]], now)
