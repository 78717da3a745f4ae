"""Every condition, also one added tomorrow: complete, explained, and never everyone by accident."""

from __future__ import annotations

import copy
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from kit import db as database
from kit.errors import Invalid
from kit.sql import TRUE, Sql
from segments import rule
from segments.condition import kinds
from segments.operators import COMPARISONS
from segments.rule import Reading
from tests.segments.population import NOW, people, store

EXAMPLES = [{card.key(): example} for card in kinds().values() for example in card.examples]
FIELDS = {"country": ("TEXT", "USA", None), "invoiceTotal": ("NUMBER", None, 40)}
NOTHING = (..., None, "", " ", [], {}, [None])


@pytest.fixture
async def reading(db) -> AsyncIterator[Reading]:
    """A population in which half have what the examples ask for; the fields they name are there."""
    await store(people(30))
    for name, (kind, text, number) in FIELDS.items():
        await database.execute(
            Sql(
                """WITH made AS (
                    INSERT INTO field (name, label, type, created_at, updated_at)
                    VALUES ({name}, {name}, {kind}, {now}, {now})
                    RETURNING id
                )
                INSERT INTO field_value (contact_id, field_id, value, text_value, number_value)
                SELECT c.id, made.id, 'true', {text}::text, {number}::numeric
                FROM contact c, made
                WHERE c.id % 2 = 0""",
                name=name,
                kind=kind,
                now=NOW,
                text=text,
                number=number,
            )
        )
    yield await rule.reading(NOW)
    await database.execute(Sql("UPDATE account SET timezone = 'UTC', default_country = 'US'"))


async def who(where: Sql) -> set[int]:
    return set(await database.column(Sql("SELECT c.id FROM contact c WHERE {where}", where=where)))


async def test_yes_and_no_are_everyone_and_nobody_is_both(reading):
    everyone = await who(TRUE)
    for example in EXAMPLES:
        condition = rule.check(example, reading)
        yes, no = condition.compile(reading), condition.complement(reading)
        assert await who(yes) == everyone - await who(no), example
        assert await who(Sql("({yes}) IS NULL OR ({no}) IS NULL", yes=yes, no=no)) == set(), example
        assert await who(rule.parse({"not": example}).compile(reading)) == await who(no), example
        assert await who(rule.parse({"not": {"not": example}}).compile(reading)) == await who(yes), example


async def test_a_parameter_that_is_missing_or_empty_is_refused_or_still_not_everyone(reading):
    everyone = await who(TRUE)
    for example in EXAMPLES:
        for spoilt, path in without_each_parameter(example):
            read = read_or_refused(spoilt, reading)
            if isinstance(read, Invalid):
                assert all(about(problem.path, path) for problem in read.problems), (spoilt, read)
            else:
                assert await who(read.compile(reading)) < everyone, spoilt


def read_or_refused(given: dict[str, Any], reading: Reading) -> rule.Condition | Invalid:
    try:
        return rule.check(given, reading, ("where",))
    except Invalid as refusal:
        return refusal


def without_each_parameter(example: dict[str, Any]) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """The example with each parameter at every depth taken away, or nothing in its place; and where that was."""
    for path in paths(example):
        for nothing in NOTHING:
            spoilt = copy.deepcopy(example)
            inside: Any = spoilt
            for key in path[:-1]:
                inside = inside[key]
            if nothing is ...:
                del inside[path[-1]]
            else:
                inside[path[-1]] = nothing
            yield spoilt, ("where", *(str(key) for key in path))


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inside in entries:
        yield (*path, key)
        yield from paths(inside, (*path, key))


def about(found: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether a problem's path leads to the place, or to something the place is in, or beside it in the condition."""
    return found[:2] == path[:2] or found == path[: len(found)]


@pytest.mark.parametrize("kind", kinds())
def test_a_condition_explains_itself(kind):
    card = kinds()[kind]
    assert card.__doc__
    assert not card.__doc__.startswith(f"{card.__name__}("), "the docstring is what dataclass wrote"
    assert card.examples
    for example in card.examples:
        assert rule.parse({card.key(): example}).describe()


async def test_what_a_condition_looks_at_puts_contacts_on_the_pile_when_it_changes(reading):
    """Or else whoever comes into a watched segment by it is not noticed: `SELECT touches_contacts('my_table')`."""
    touching = set(
        await database.column(Sql("SELECT g.tgrelid::regclass::text FROM pg_trigger g WHERE g.tgname ^@ 'touches_'"))
    )
    tables = set(await database.column(Sql("SELECT c.relname::text FROM pg_class c WHERE c.relkind IN ('r', 'p')")))
    told_apart = {"contact_list", "score"}  # the kind of a list is for good; a score that goes makes another rule
    for example in EXAMPLES:
        text, _ = rule.check(example, reading).compile(reading).render()
        looked_at = {word for word in re.findall(r"(?:FROM|JOIN)\s+(\w+)", text) if word in tables}
        assert looked_at - told_apart <= touching, example


async def test_what_depends_on_time_says_when_it_changes(reading):
    for example in EXAMPLES:
        condition = rule.check(example, reading)
        flips = condition.flips(reading)
        assert condition.depends_on_time or flips is None, example
        if flips is not None:
            assert not await who(Sql("{flips} <= {now}::timestamptz", flips=flips, now=reading.now)), example


def test_every_operator_has_words_and_sorts_of_values():
    assert all(comparison.words and comparison.types for comparison in COMPARISONS.values())
