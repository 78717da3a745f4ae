"""Rules mean in SQL what they mean in plain Python, for random contacts and random trees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit import db as database
from kit.sql import Sql, ids, join
from segments import rule
from segments.condition import Condition
from segments.reading import Reading
from tests.segments import oracle
from tests.segments.population import NOW, Stored, people, store
from tests.segments.trees import leaves, rules

TREES_A_STATEMENT = 40


@pytest.fixture
async def stored(db) -> Stored:
    yield await store(people())
    await database.execute(Sql("UPDATE account SET timezone = 'UTC', default_country = 'US'"))


async def found(conditions: list[tuple[Condition, bool]], reading: Reading) -> list[set[int]]:
    """Who matches each condition (or its complement), in one statement."""
    searches = [
        Sql(
            "SELECT {number}::integer AS number, ARRAY(SELECT c.id FROM contact c WHERE {where}) AS ids",
            number=number,
            where=condition.complement(reading) if complement else condition.compile(reading),
        )
        for number, (condition, complement) in enumerate(conditions)
    ]
    rows = await database.rows(join(" UNION ALL ", searches))
    return [set(row["ids"]) for row in sorted(rows, key=lambda row: row["number"])]


async def agree(trees: list[dict[str, Any]], stored: Stored) -> None:
    conditions = [rule.check(tree, stored.reading) for tree in trees]
    everyone = {each.id for each in stored.people}
    # As it is asked of everybody; and its complement, by turns, as of the contacts of an OR.
    of_everybody = replace(stored.reading, in_sets=True)
    matched = await found([(condition, False) for condition in conditions], of_everybody)
    other = of_everybody if len(str(trees)) % 2 else stored.reading
    unmatched = await found([(condition, True) for condition in conditions], other)
    for tree, condition, yes, no in zip(trees, conditions, matched, unmatched, strict=True):
        expected = {each.id for each in stored.people if oracle.matches(tree, each, stored)}
        assert yes == expected, tree
        assert no == everyone - yes, tree
        assert condition.describe()


@pytest.mark.parametrize("sort", [leaves, rules], ids=["leaves", "trees"])
async def test_sql_and_plain_python_agree_on_who_matches(sort, stored):
    drawn: list[list[dict[str, Any]]] = []

    @settings(max_examples=30, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(sort(stored), min_size=TREES_A_STATEMENT, max_size=TREES_A_STATEMENT))
    def draw(trees):
        drawn.append(trees)

    draw()
    for trees in drawn:
        await agree(trees, stored)


async def test_a_day_of_a_row_is_one_of_the_zone_in_which_the_contact_is(db):
    """At 21:30 UTC on the 29th of March 2026 it is still that day in Berlin, and the next one in Auckland."""
    everybody = [each for each in (await store(people(30))).people if each.timezone != "America/New_York"]
    tag = await database.value(Sql("INSERT INTO tag (name, created_at) VALUES ('new', {now}) RETURNING id", now=NOW))
    insert = "INSERT INTO contact_tag SELECT c.id, {tag}::bigint, {now}::timestamptz FROM contact c"
    await database.execute(Sql(insert, tag=tag, now=NOW))
    reading = await rule.reading(NOW)
    expected = {
        (None, "2026-03-29"): {each.id for each in everybody},
        ("CONTACT", "2026-03-29"): {each.id for each in everybody if each.timezone is None},
        ("CONTACT", "2026-03-30"): {each.id for each in everybody if each.timezone == "Pacific/Auckland"},
    }
    for (zone, day), who in expected.items():
        given = {"tagged": {"tag": "new", "at": {"op": "IS", "value": day, **({"zone": zone} if zone else {})}}}
        asked = rule.matching(rule.check(given, reading), ids(each.id for each in everybody), reading)
        found = await database.column(asked)
        assert set(found) == who, given
        assert ("own time zone" in rule.parse(given).describe()) == bool(zone)
    await database.execute(Sql("UPDATE account SET timezone = 'UTC', default_country = 'US'"))
