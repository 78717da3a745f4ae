"""Splits (domain 2.7): exact shares under any number of workers, winners, and ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from kit import db
from kit.errors import Refused
from kit.sql import Sql
from tests.workflows.stage import Stage, step, tagged
from workflows import engine, graph, publish, splits


def split(
    *names: str, mode: str = "EVEN", shares: tuple[int, ...] = (), rest: str | None = "w", **told: object
) -> dict:
    paths = [{"name": name, **({"share": shares[at]} if shares else {})} for at, name in enumerate(names)]
    return step("s", "split", rest, mode=mode, paths=paths, **told)


WAIT = step("w", "waitFor", duration={"days": 1})


async def taken(automation_id: int) -> Counter[str]:
    rows = await db.rows(
        Sql(
            """
            SELECT i.branch, count(*) AS n
            FROM visit i JOIN run r ON r.id = i.run_id
            WHERE r.automation_id = {id}::bigint AND i.branch IS NOT NULL GROUP BY 1
            """,
            id=automation_id,
        )
    )
    return Counter({row["branch"]: row["n"] for row in rows})


async def come(stage: Stage, automation_id: int, number: int) -> Counter[str]:
    await stage.enter(automation_id, *await stage.crowd(number))
    await stage.settle()
    return await taken(automation_id)


async def test_even_is_even_to_one_with_workers_at_once(stage: Stage) -> None:
    automation_id = await stage.draw([split("A", "B", "C"), WAIT])
    await stage.enter(automation_id, *await stage.crowd(100))

    async def work() -> None:
        while await engine.advance(automation_id, stage.now, count_max=7):
            pass

    await asyncio.gather(*(asyncio.create_task(work()) for _ in range(4)))
    assert sorted((await taken(automation_id)).values()) == [33, 33, 34]
    await stage.require_counts()


async def test_percent_is_never_a_contact_away_from_its_share(stage: Stage) -> None:
    automation_id = await stage.draw([split("A", "B", mode="PERCENT", shares=(70, 30)), WAIT])
    for total in (1, 3, 10, 50):
        found = await come(stage, automation_id, total - sum((await taken(automation_id)).values()))
        assert abs(found["A"] - 0.7 * total) < 1
    assert found == {"A": 35, "B": 15}


async def test_a_contact_keeps_its_path(stage: Stage) -> None:
    automation_id = await stage.draw([split("A", "B"), WAIT])
    people = await stage.crowd(5)
    runs = [await stage.enter(automation_id, *people) for _ in range(2)]
    await stage.settle()
    paths = [[(await stage.path(run))[0]["branch"] for run in some] for some in runs]
    assert paths[0] == paths[1]
    assert sorted(paths[0]) == ["A", "A", "A", "B", "B"]


async def test_until_sends_exactly_so_many_along_the_first(stage: Stage) -> None:
    by_number = await stage.draw([split("A", "B", mode="UNTIL", until={"number": 7}), WAIT])
    await stage.enter(by_number, *await stage.crowd(5))
    await stage.settle()
    assert await come(stage, by_number, 10) == {"A": 7, "B": 8}
    at = (stage.now + timedelta(hours=1)).isoformat()
    by_date = await stage.draw([split("A", "B", mode="UNTIL", until={"at": at}), WAIT])
    assert await come(stage, by_date, 3) == {"A": 3}
    stage.later(hours=1)
    assert await come(stage, by_date, 2) == {"A": 3, "B": 2}
    by_rule = await stage.draw([split("A", "B", mode="UNTIL", until={"matching": 2}, where=tagged("ok")), WAIT])
    first, second, *_ = people = await stage.crowd(3)
    await stage.enter(by_rule, *people)
    await stage.settle()
    await stage.tag(first, "ok")
    assert await come(stage, by_rule, 1) == {"A": 4}
    await stage.tag(second, "ok")
    assert await come(stage, by_rule, 2) == {"A": 4, "B": 2}
    await stage.untag(second, "ok")
    assert await come(stage, by_rule, 1) == {"A": 4, "B": 3}, "what was over stays over"


async def test_a_test_ends_and_all_later_ones_take_the_best_path(stage: Stage) -> None:
    automation_id = await stage.draw([split("A", "B", "C", mode="TEST", until={"number": 6}, where=tagged("ok")), WAIT])
    people = await stage.crowd(6)
    runs = await stage.enter(automation_id, *people)
    await stage.settle()
    assert await taken(automation_id) == {"A": 2, "B": 2, "C": 2}
    for contact, run in zip(people, runs, strict=True):
        if (await stage.path(run))[0]["branch"] == "B":
            await stage.tag(contact, "ok")
    assert await come(stage, automation_id, 4) == {"A": 2, "B": 6, "C": 2}
    tied = await stage.draw([split("A", "B", mode="TEST", until={"number": 2}), WAIT])
    assert await come(stage, tied, 5) == {"A": 4, "B": 1}


async def test_a_split_that_somebody_went_through_stays_as_it_is(stage: Stage) -> None:
    automation_id = await stage.draw([split("A", "B"), WAIT])
    other = [split("A", "B", "C"), WAIT]
    await publish.update(automation_id, {"steps": other}, by=stage.caller)  # nobody was there
    await come(stage, automation_id, 1)
    with pytest.raises(Refused) as refusal:
        await publish.update(automation_id, {"steps": [split("A", "B"), WAIT]}, by=stage.caller)
    (problem,) = refusal.value.problems
    assert (problem.code, problem.path) == ("SPLIT_IN_PROGRESS", ("steps", "0", "do", "split"))
    longer = [*other[:1], step("w", "waitFor", duration={"days": 2})]
    await publish.update(automation_id, {"steps": longer}, by=stage.caller)  # what follows may change
    await publish.update(automation_id, {"steps": [WAIT]}, by=stage.caller)  # it may be taken out
    with pytest.raises(Refused):
        await publish.update(automation_id, {"steps": [split("A", "B"), WAIT]}, by=stage.caller)


def test_a_faulty_split_is_refused_with_the_place() -> None:
    def faults(**told: object) -> set[tuple[str, tuple[str, ...]]]:
        _, problems = graph.read([step("s", "split", "e", **told), step("e", "end")])
        return {(problem.code, problem.path[3:]) for problem in problems}

    two = [{"name": "A"}, {"name": "B"}]
    assert faults(mode="EVEN", paths=two) == set()
    assert faults(mode="EVEN", paths=two[:1]) == {("OUT_OF_RANGE", ("paths",))}
    assert faults(mode="EVEN", paths=[two[0], two[0]]) >= {("DUPLICATE", ("paths", "1", "name"))}
    assert faults(mode="PERCENT", paths=two) == {("REQUIRED", ("paths", "0", "share"))}
    shares = [{"name": "A", "share": 70}, {"name": "B", "share": 40}]
    assert faults(mode="PERCENT", paths=shares) == {("INVALID_VALUE", ("paths",))}
    assert faults(mode="EVEN", paths=shares) >= {("INVALID_VALUE", ("paths", "0", "share"))}
    assert faults(mode="TEST", paths=two) == {("REQUIRED", ("until",))}
    assert faults(mode="EVEN", paths=two, until={"number": 1}) == {("INVALID_VALUE", ("until",))}
    assert faults(mode="UNTIL", paths=two, until={"matching": 1}) == {("REQUIRED", ("where",))}
    assert faults(mode="UNTIL", paths=two, until={"at": "soon"}) == {("WRONG_TYPE", ("until", "at"))}
    assert faults(mode="UNTIL", paths=[*two, {"name": "C"}], until={"number": 1}) == {("OUT_OF_RANGE", ("paths",))}


def test_shares_are_dealt_by_what_is_missing_most() -> None:
    plan = splits.Plan(("A", "B", "C"), (50, 30, 20))
    counts = [0, 0, 0]
    dealt = ""
    for _ in range(10):
        path = plan.choose(counts)
        counts[path] += 1
        dealt += plan.paths[path]
    assert (dealt, counts) == ("ABCAABACBA", [5, 3, 2])
