"""Whatever changes, however many look and whoever is killed: the members are those that a full look finds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit import clock
from kit import db as database
from kit.sql import Sql, ids
from segments import rule
from services import contacts, fields, lists, memberships, orders, segments, tags, watching
from services.caller import Caller

CONTACTS = 6
RULES: list[dict[str, Any]] = [
    {"tag": {"hasAny": ["vip"]}},
    {"not": {"any": [{"tag": {"hasAny": ["vip"]}}, {"tag": {"hasAll": ["gold", "new"]}}]}},
    {"tagged": {"tag": "gold", "at": {"op": "IN_LAST", "value": {"days": 3}}}},
    {"field": {"name": "trial", "op": "IN_NEXT", "value": {"days": 2}}},
    {"contact": {"field": "CREATED_AT", "op": "MORE_THAN_AGO", "value": {"days": 5}}},
    {
        "any": [
            {"purchase": {"field": "TOTAL_SPENT", "op": "AT_LEAST", "value": 45}},
            {"membership": {"status": "ACTIVE"}},
        ]
    },
]
steps = st.one_of(
    st.tuples(st.just("tag"), st.integers(0, CONTACTS - 1), st.sampled_from(["vip", "gold", "new"])),
    st.tuples(st.just("untag"), st.integers(0, CONTACTS - 1), st.sampled_from(["vip", "gold", "new"])),
    st.tuples(st.just("trial"), st.integers(0, CONTACTS - 1), st.integers(-3, 6)),
    st.tuples(st.just("list"), st.integers(0, CONTACTS - 1), st.sampled_from(["ACTIVE", "UNSUBSCRIBED"])),
    st.tuples(st.just("order"), st.integers(0, CONTACTS - 1), st.integers(10, 60)),
    st.tuples(st.just("time"), st.integers(1, 100), st.none()),
    st.tuples(st.just("rule"), st.integers(0, len(RULES) - 1), st.integers(0, len(RULES) - 1)),
    st.tuples(st.just("pass"), st.none(), st.none()),
)


@pytest.fixture
async def watched(caller) -> AsyncIterator[list[int]]:
    """A segment for each rule, all of them leased."""
    await database.execute(Sql("UPDATE account SET settings = settings || '{\"segment_limit\": 50}'"))
    await fields.create({"name": "trial", "label": "Trial", "type": "DATE"}, by=caller)
    await lists.create("News", by=caller)
    made = [await segments.create({"name": f"S{at}", "where": where}, by=caller) for at, where in enumerate(RULES)]
    await lease(made)
    yield made
    await database.execute(Sql("UPDATE account SET clock_shift = '0'"))


async def lease(made: list[int]) -> None:
    await database.execute(
        Sql("INSERT INTO watch_lease (segment_id, until) SELECT unnest({ids}::bigint[]), 'infinity'", ids=made)
    )


async def kept() -> dict[int, set[int]]:
    """The members as they are written down."""
    rows = await database.rows(
        Sql(
            """
            SELECT wt.subject_id, array_agg(wm.contact_id) FILTER (WHERE wm.contact_id IS NOT NULL) AS contacts
            FROM watch wt
            LEFT JOIN watch_member wm ON wm.watch_id = wt.id
            WHERE wt.ended_at IS NULL
            GROUP BY wt.id
            """
        )
    )
    return {row["subject_id"]: set(row["contacts"] or ()) for row in rows}


async def true(made: list[int]) -> dict[int, set[int]]:
    """The members as a look at everybody finds them."""
    reading = await rule.reading(await clock.now())
    found = {}
    for number in made:
        where = rule.parse(reading.segments[number]).compile(reading)
        found[number] = set(await database.column(Sql("SELECT c.id FROM contact c WHERE {where}", where=where)))
    return found


async def told() -> dict[int, dict[int, list[str]]]:
    """What was told of segment → contact, in order."""
    found: dict[int, dict[int, list[str]]] = {}
    for row in await database.rows(
        Sql("SELECT e.subject, e.contact_id, e.kind FROM event e WHERE e.kind ^@ 'SEGMENT_' ORDER BY e.id")
    ):
        found.setdefault(row["subject"], {}).setdefault(row["contact_id"], []).append(row["kind"])
    return found


async def do(step: tuple[Any, Any, Any], people: list[int], made: list[int], caller: Caller) -> None:
    kind, which, what = step
    by = caller.at(await clock.now())
    one = ids([people[which]]) if isinstance(which, int) and which < CONTACTS else Sql("")
    match kind:
        case "tag":
            await tags.give(one, [what], by=by)
        case "untag":
            await tags.take(one, [what], by=by)
        case "trial":
            day = (by.now + timedelta(days=what)).date().isoformat()
            await contacts.update(people[which], {"field_values": [{"name": "trial", "value": day}]}, by=by)
        case "list":
            news = await lists.find_by_name("News")
            assert news is not None
            await memberships.set_status(one, news, what, by=by)
        case "order":
            entry = {"external_id": str(by.now), "contact_id": people[which], "total": what}
            await orders.record(entry, by=by)
        case "time":
            await database.execute(
                Sql("UPDATE account SET clock_shift = clock_shift + {by}::interval", by=timedelta(hours=which))
            )
        case "rule":
            await segments.update(made[which], {"where": RULES[what]}, by=by)
        case "pass":
            await watching.pass_(by.now)


@pytest.fixture
async def people(watched, caller) -> list[int]:
    """Contacts that are made while everything is watched, so that every coming and going is told."""
    await watching.refresh()
    return [await contacts.create({"email": f"c{at}@x.test"}, by=caller) for at in range(CONTACTS)]


async def is_true(made: list[int]) -> None:
    """The members are the true ones; what was told leads to them: in and out by turns, nothing twice."""
    await watching.refresh()
    members = await kept()
    assert members == await true(made)
    heard = await told()
    for number in made:
        for contact, kinds in heard.get(number, {}).items():
            assert kinds == (["SEGMENT_ENTERED", "SEGMENT_LEFT"] * len(kinds))[: len(kinds)]
            assert (kinds[-1] == "SEGMENT_ENTERED") == (contact in members[number])
        assert members[number] <= heard.get(number, {}).keys()


async def test_after_whatever_happened_the_members_are_those_of_a_full_look(watched, people, caller):
    drawn: list[list[tuple[Any, Any, Any]]] = []

    @settings(max_examples=20, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(steps, min_size=3, max_size=12))
    def draw(some):
        drawn.append(some)

    draw()
    for some in drawn:
        for step in some:
            await do(step, people, watched, caller)
        await is_true(watched)


async def test_several_who_look_at_once_and_passes_that_are_broken_off_tell_everything_once(watched, people, caller):
    async def change() -> None:
        for turn in range(12):
            await do(("tag" if turn % 2 == 0 else "untag", turn % CONTACTS, "vip"), people, watched, caller)
            await do(("list", (turn + 1) % CONTACTS, "ACTIVE"), people, watched, caller)

    async def look(patience: float | None) -> None:
        for _ in range(12):
            at_work = asyncio.create_task(watching.pass_(await clock.now()))
            await asyncio.wait([at_work], timeout=patience)
            at_work.cancel()  # as when a worker is killed: its transaction is over
            await asyncio.wait([at_work])

    await asyncio.gather(change(), look(None), look(None), look(0.004), look(0.012))
    await is_true(watched)
    await tags.give(ids(people), ["gold"], by=caller.at(await clock.now()))
    with contextlib.suppress(ZeroDivisionError):
        async with database.transaction():
            assert await watching.pass_(await clock.now()) == CONTACTS
            raise ZeroDivisionError
    await is_true(watched)


async def test_what_was_changed_before_a_watch_began_and_is_committed_after_it_is_seen(watched, caller):
    """The very first watch finds a transaction at work that put nobody on the pile: its look waits for it."""
    await database.execute(Sql("DELETE FROM watch_lease"))
    await watching.refresh()
    contact = await contacts.create({"email": "late@x.test"}, by=caller)
    await tags.ensure(["vip"], by=caller)
    begun, done = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.transaction():
            await tags.give(ids([contact]), ["vip"], by=caller)
            begun.set()
            await done.wait()

    slowly = asyncio.create_task(slow())
    await begun.wait()
    await lease(watched)
    for _ in range(5):
        await watching.pass_(await clock.now())
    assert (await kept())[watched[0]] == set()
    done.set()
    await slowly
    await watching.refresh()
    assert (await kept())[watched[0]] == {contact}


async def test_a_thousand_contacts_against_fifty_rules_are_a_few_statements(watched, caller):
    made = [
        await segments.create({"name": f"More {at}", "where": {"tag": {"hasAny": [f"t{at}"]}}}, by=caller)
        for at in range(44)
    ]
    await lease(made)
    await watching.refresh()
    await database.execute(
        Sql(
            """
            INSERT INTO contact (email, created_at, updated_at)
            SELECT format('%s@x.test', n), now(), now() FROM generate_series(1, 1000) AS n
            """
        )
    )
    with database.counting() as counter:
        assert await watching.pass_(await clock.now()) == 1000
    assert len(counter.statements) <= 12
    assert (await kept())[watched[1]] == set(await database.column(Sql("SELECT c.id FROM contact c")))


async def test_a_rule_that_cannot_be_asked_holds_up_no_other_and_looks_at_everybody_when_it_has_rested(
    watched, people, caller
):
    await watching.refresh()
    before = await kept()
    created = Sql(  # five days after the end of time PostgreSQL cannot reckon
        "UPDATE contact SET created_at = {at}::text::timestamptz WHERE id = {id}::bigint",
        id=people[0],
        at="294276-12-31",
    )
    await database.execute(created)
    await tags.give(ids(people[:2]), ["vip"], by=caller)
    await watching.refresh()
    expected = await true(watched)
    assert expected[watched[0]] == set(people[:2])
    members = await kept()
    assert members.pop(watched[4]) == before[watched[4]]
    assert members == {key: value for key, value in expected.items() if key != watched[4]}

    await database.execute(created.with_(at="2020-01-01"))
    await watching.refresh()
    assert await kept() == members | {watched[4]: before[watched[4]]}, "it rests"
    await do(("time", 1, None), people, watched, caller)
    await is_true(watched)
    assert (await kept())[watched[4]] >= {people[0]}
