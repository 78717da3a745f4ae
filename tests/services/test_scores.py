"""Points come and go by rules, by hand and with time; the score is always the sum of those that count (AC27, Q24)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit import db as database
from kit.duration import Duration
from kit.errors import Refused
from kit.sql import Sql, ids
from services import award_upkeep, awards, contacts, scores, segments, watching
from services.caller import Caller

VIP = {"tag": {"hasAny": ["vip"]}}
OLD = {"tag": {"hasAny": ["old"]}}


def pairs(rule: int, *people: int) -> Sql:
    return Sql("SELECT {rule}::bigint AS rule_id, s.id AS contact_id FROM ({people}) s", rule=rule, people=ids(people))


async def rules_of(score: int) -> list[int]:
    return await database.column(
        Sql(
            "SELECT sr.id FROM score_rule sr WHERE sr.score_id = {id}::bigint AND sr.removed_at IS NULL "
            "ORDER BY sr.position",
            id=score,
        )
    )


async def total(contact: int, score: int) -> int:
    found = await database.value(
        Sql(
            "SELECT cs.total FROM contact_score cs WHERE cs.contact_id = {c}::bigint AND cs.score_id = {s}::bigint",
            c=contact,
            s=score,
        )
    )
    return found or 0


async def told(contact: int) -> list[tuple[int, int, str]]:
    rows = await database.column(
        Sql(
            "SELECT e.data FROM event e WHERE e.contact_id = {c}::bigint AND e.kind = 'SCORE_CHANGED' ORDER BY e.id",
            c=contact,
        )
    )
    return [(data["from"], data["to"], data["why"]) for data in map(orjson.loads, rows)]


async def settled(by: Caller) -> None:
    while await watching.pass_(by.now) + await award_upkeep.pass_(by.now):
        pass


@pytest.fixture
async def two(caller: Caller) -> list[int]:
    return [await contacts.create({"email": f"s{number}@score.test"}, by=caller) for number in (1, 2)]


async def test_ac27_two_rules_add_up_each_counts_once_and_all_is_told(caller, two):
    ann, bob = two
    score = await scores.create(
        {
            "name": "Fit",
            "rules": [
                {"where": VIP, "points": 10, "label": "Is a VIP"},
                {"where": OLD, "points": 10, "expiresAfter": {"days": 30}},
            ],
        },
        by=caller,
    )
    vip, old = await rules_of(score)
    await awards.award(pairs(vip, ann), by=caller)
    await awards.award(pairs(old, ann, bob), by=caller)
    for rule in (vip, old):
        await awards.award(pairs(rule, ann), by=caller)
    assert (await total(ann, score), await total(bob, score)) == (20, 10)
    assert (await told(ann))[0] == (0, 10, "Is a VIP")

    just_before = caller.at(caller.now + timedelta(days=30) - timedelta(seconds=1))
    await settled(just_before)
    assert await total(ann, score) == 20
    await settled(caller.at(caller.now + timedelta(days=30)))
    assert (await total(ann, score), await total(bob, score)) == (10, 0)
    await awards.award(pairs(old, ann), by=caller)
    assert await total(ann, score) == 10, "it had these points once"
    await awards.withdraw(pairs(vip, ann), by=caller)
    assert await total(ann, score) == 10, "STICKY"
    assert [(before, after) for before, after, _ in await told(ann)] == [(0, 10), (10, 20), (20, 10)]


async def test_q24_points_of_a_live_rule_go_with_what_they_were_for_and_come_again(caller, two):
    ann, _ = two
    score = await scores.create({"name": "Now", "rules": [{"where": VIP, "points": -3, "mode": "LIVE"}]}, by=caller)
    (rule,) = await rules_of(score)
    for _ in range(2):
        await awards.award(pairs(rule, ann), by=caller)
        assert await total(ann, score) == -3
        await awards.withdraw(pairs(rule, ann), by=caller)
        assert await total(ann, score) == 0


async def test_by_hand_points_are_added_taken_and_set_for_a_while(caller, two):
    ann, bob = two
    score = await scores.create({"name": "Hand"}, by=caller)
    everybody, now = ids([ann, bob, 2**40]), caller.now
    outcome = await scores.adjust(everybody, score, "ADD", 5, by=caller)
    assert (outcome.changed, outcome.refused) == ({ann, bob}, {"NOT_FOUND": {2**40}})
    await scores.adjust(ids([bob]), score, "SUBTRACT", 7, by=caller)
    assert (await total(ann, score), await total(bob, score)) == (5, -2)
    outcome = await scores.adjust(ids(two), score, "SET", 5, Duration(days=1), by=caller)
    assert (outcome.changed, outcome.unchanged) == ({bob}, {ann})
    assert await total(bob, score) == 5
    await settled(caller.at(now + timedelta(days=1)))
    assert (await total(ann, score), await total(bob, score)) == (5, -2)
    for faulty, path in (
        ((2**40, "ADD", 1), "scoreId"),
        ((score, "TWICE", 1), "op"),
        ((score, "ADD", 10**7), "points"),
    ):
        with pytest.raises(Refused) as refused:
            await scores.adjust(ids([ann]), *faulty, by=caller)
        assert refused.value.problems[0].path == (path,)


async def test_a_changed_rule_changes_what_it_gave(caller, two):
    ann, bob = two
    await contacts.update(ann, {"tags": ["vip", "old"]}, by=caller)
    await contacts.update(bob, {"tags": ["vip"]}, by=caller)
    score = await scores.create({"name": "Fit", "rules": [{"where": VIP, "points": 10}]}, by=caller)
    (rule,) = await rules_of(score)
    await awards.award(pairs(rule, ann, bob), by=caller)

    async def now(**changed: Any) -> tuple[int, int]:
        kept = {"id": f"scorerule_{rule}", "where": VIP, "points": 10} | changed
        await scores.update(score, {"rules": [kept]}, by=caller)
        await settled(caller)
        return await total(ann, score), await total(bob, score)

    assert await now(points=4) == (4, 4)
    assert await now(points=4, where=OLD) == (4, 0)
    await settled(caller.at(caller.now + timedelta(days=2)))
    assert await now(points=4, where=OLD, expiresAfter={"days": 1}) == (4, 0)
    await settled(caller.at(caller.now + timedelta(days=1)))
    assert await total(ann, score) == 0
    assert await now(points=6, where=OLD) == (6, 0), "without an end it is as if it had never had one"
    await scores.update(score, {"rules": []}, by=caller)
    await settled(caller)
    assert (await total(ann, score), await database.value(Sql("SELECT count(*) FROM score_rule sr"))) == (0, 0)
    await scores.delete(score, by=caller)
    assert await database.value(Sql("SELECT count(*) FROM contact_score cs")) == 0


async def test_what_is_refused_is_refused_at_once_with_its_place(caller):
    score = await scores.create({"name": "Fit"}, by=caller)
    other = await scores.create({"name": "Other", "rules": [{"where": named("score", score), "points": 1}]}, by=caller)
    inside = await segments.create({"name": "Fitting", "where": named("score", score)}, by=caller)
    cases: list[tuple[int | None, dict[str, Any], list[tuple[str, str]]]] = [
        (None, {"name": " "}, [("REQUIRED", "name")]),
        (None, {"name": "fit"}, [("NAME_TAKEN", "name")]),
        (
            None,
            {"name": "X", "rules": [{"points": 1}, {"where": VIP, "points": 10**7, "mode": "SOME"}]},
            [
                ("REQUIRED", "rules.0.where"),
                ("OUT_OF_RANGE", "rules.1.points"),
                ("INVALID_VALUE", "rules.1.mode"),
            ],
        ),
        (None, {"name": "X", "rules": [{"where": {"all": []}, "points": 1}]}, [("EMPTY_SEGMENT", "rules.0.where.all")]),
        (
            None,
            {"name": "X", "rules": [{"where": named("score", 2**40), "points": 1, "id": "scorerule_1"}]},
            [("NOT_FOUND", "rules.0.where.score.id"), ("NOT_FOUND", "rules.0.id")],
        ),
        (
            score,
            {"rules": [{"where": named("score", score), "points": 1}]},
            [("SCORE_CYCLE", "rules.0.where.score.id")],
        ),
        (
            score,
            {"rules": [{"where": {"any": [VIP, named("score", other)]}, "points": 1}]},
            [("SCORE_CYCLE", "rules.0.where.any.1.score.id")],
        ),
        (
            score,
            {"rules": [{"where": {"segment": {"id": f"segment_{inside}"}}, "points": 1}]},
            [("SCORE_CYCLE", "rules.0.where.segment.id")],
        ),
        (2**40, {"name": "X"}, [("NOT_FOUND", "id")]),
    ]
    for number, values, expected in cases:
        with pytest.raises(Refused) as refused:
            await (scores.create(values, by=caller) if number is None else scores.update(number, values, by=caller))
        assert [(each.code, ".".join(each.path)) for each in refused.value.problems] == expected, values

    free = await segments.create({"name": "Free", "where": VIP}, by=caller)
    await scores.update(score, {"rules": [{"where": {"segment": {"id": f"segment_{free}"}}, "points": 1}]}, by=caller)
    with pytest.raises(Refused) as late:
        await segments.update(free, {"where": named("score", other)}, by=caller)
    assert [(each.code, each.path) for each in late.value.problems] == [("SCORE_CYCLE", ("where",))]


def named(kind: str, number: int) -> dict[str, Any]:
    return {kind: {"id": f"{kind}_{number}", "op": "AT_LEAST", "value": 1}}


acts = st.one_of(
    st.tuples(st.sampled_from(["award", "withdraw"]), st.integers(0, 2), st.sampled_from([(0,), (1,), (0, 1)])),
    st.tuples(st.sampled_from(["ADD", "SUBTRACT", "SET"]), st.integers(-5, 5), st.sampled_from([None, 1, 3])),
    st.tuples(st.just("time"), st.integers(1, 3), st.none()),
    st.tuples(st.just("rules"), st.integers(-4, 4), st.sampled_from([None, {"days": 2}])),
    st.tuples(st.just("settle"), st.none(), st.none()),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(acts, min_size=3, max_size=14))
async def test_the_score_is_the_sum_of_the_awards_that_count_whatever_happens(caller, two, played):
    by, number = caller, await database.value(Sql("SELECT count(*) FROM score so"))
    score = await scores.create({"name": f"Fit {number}", "rules": drawn(1, None)}, by=by)
    try:
        for act, first, second in played:
            rules = await rules_of(score)
            match act:
                case "award":
                    await awards.award(pairs(rules[first], *(two[each] for each in second)), by=by)
                case "withdraw":
                    await awards.withdraw(pairs(rules[first], *(two[each] for each in second)), by=by)
                case "time":
                    by = by.at(by.now + timedelta(days=first))
                    await award_upkeep.expire(by.now)
                case "rules":
                    kept = [{**each, "id": f"scorerule_{rules[at]}"} for at, each in enumerate(drawn(first, second))]
                    await scores.update(score, {"rules": kept[:2] + drawn(first, second)[2:]}, by=by)
                case "settle":
                    await watching.pass_(by.now)
                    await award_upkeep.settle(by.now)
                case _:
                    await scores.adjust(ids(two), score, act, first, second and Duration(days=second), by=by)
            await sums_hold(score, two)
    finally:
        await scores.delete(score, by=by)
        await database.execute(Sql("DELETE FROM event"))


def drawn(points: int, expires: dict[str, int] | None) -> list[dict[str, Any]]:
    return [
        {"where": VIP, "points": points, "expiresAfter": expires},
        {"where": OLD, "points": -points, "mode": "LIVE"},
        {"where": OLD, "points": 2, "mode": "LIVE", "expiresAfter": {"days": 1}},
    ]


async def sums_hold(score: int, people: list[int]) -> None:
    for contact in people:
        counted = await database.value(
            Sql(
                """SELECT coalesce(sum(sa.points) FILTER (WHERE NOT sa.expired), 0) FROM score_award sa
                WHERE sa.contact_id = {c}::bigint AND sa.score_id = {s}::bigint""",
                c=contact,
                s=score,
            )
        )
        assert await total(contact, score) == counted
        facts = await told(contact)
        assert [before for before, _, _ in facts] == [0, *(after for _, after, _ in facts)][: len(facts)]
        assert (facts[-1][1] if facts else 0) == counted
