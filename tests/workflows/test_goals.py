"""Goals (domain 2.6): who meets one comes to it from wherever they are, once a run."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kit import db
from kit.sql import Sql
from segments import rule
from tests.workflows.stage import Stage, line, step, tagged
from workflows import goals, graph, publish

LONG = step("long", "waitFor", duration={"days": 9})
LATE = step("late", "addTag", tag="late")
DONE = step("done", "addTag", tag="done")


def goal(key: str, *tags: str, next: str | None = None, **told: object) -> dict:
    return step(key, "goal", next, name=key.capitalize(), where=tagged(*tags), **told)


async def facts() -> list[tuple[str, str]]:
    rows = await db.rows(
        Sql(
            """
            SELECT e.data ->> 'goal' AS goal, e.data ->> 'result' AS result
            FROM event e WHERE e.kind = 'GOAL_REACHED' ORDER BY e.id
            """
        )
    )
    return [(row["goal"], row["result"]) for row in rows]


async def test_who_meets_a_goal_jumps_to_it_from_a_wait(stage: Stage) -> None:
    automation_id = await stage.draw(line(LONG, LATE, goal("bought", "buyer"), DONE))
    contact = await stage.contact()
    run, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    assert (await stage.run(run))["due_at"] == stage.now + timedelta(days=9)
    stage.later(hours=1)
    await stage.tag(contact, "other")
    await stage.settle()
    assert await stage.walked(run) == [("long", "IN_PROGRESS")]
    resting = await stage.run(run)
    assert resting["due_at"] == resting["deadline_at"] == stage.now + timedelta(days=9, hours=-1), "as it was"
    await stage.tag(contact, "buyer")
    await stage.settle()
    assert await stage.walked(run) == [
        ("long", "SKIPPED GOAL_JUMP"),
        ("late", "SKIPPED GOAL_JUMP"),
        ("bought", "COMPLETED"),
        ("done", "COMPLETED"),
    ]
    assert "late" not in await stage.tags_of(contact)
    assert await facts() == [("Bought", "ACHIEVED")]
    await stage.require_counts()
    for such, achieved in (({}, True), ({"goal": "BOUGHT"}, True), ({"goal": "Other"}, False)):
        for state in ("ACHIEVED_GOAL", "NOT_ACHIEVED_GOAL"):
            asked = {"automation": {"id": f"automation_{automation_id}", "state": state, **such}}
            where = rule.check(asked, await rule.reading(stage.now)).compile(await rule.reading(stage.now))
            found = await db.column(Sql("SELECT c.id FROM contact c WHERE {where}", where=where))
            assert (contact in found) == (achieved == (state == "ACHIEVED_GOAL")), asked


async def test_goals_are_looked_at_on_entry_and_after_each_step(stage: Stage) -> None:
    automation_id = await stage.draw(line(step("a", "addTag", tag="x"), LONG, goal("g", "x"), DONE))
    new, known = await stage.contact(), await stage.contact(tags=["x"])
    first, second = await stage.enter(automation_id, new, known)
    await stage.settle()
    ends = [("long", "SKIPPED GOAL_JUMP"), ("g", "COMPLETED"), ("done", "COMPLETED")]
    assert await stage.walked(first) == [("a", "COMPLETED"), *ends]
    assert await stage.walked(second) == [("a", "SKIPPED GOAL_JUMP"), *ends]
    await stage.require_counts()


@pytest.mark.parametrize(
    ("otherwise", "walked", "ended", "told"),
    [
        ("WAIT", [("g", "IN_PROGRESS")], None, []),
        ("CONTINUE", [("g", "SKIPPED GOAL_NOT_MET"), ("done", "COMPLETED")], "COMPLETED", [("G", "SKIPPED")]),
        ("END", [("g", "SKIPPED GOAL_NOT_MET")], "GOAL_NOT_MET", [("G", "SKIPPED")]),
    ],
)
async def test_who_comes_to_a_goal_without_having_met_it(
    stage: Stage, otherwise: str, walked: list, ended: str | None, told: list
) -> None:
    automation_id = await stage.draw(line(goal("g", "x", otherwise=otherwise), DONE))
    contact = await stage.contact()
    run, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    assert await stage.walked(run) == walked
    assert (await stage.run(run))["end_reason"] == ended
    assert await facts() == told
    await stage.tag(contact, "x")
    await stage.settle()
    if otherwise == "WAIT":
        assert await stage.walked(run) == [("g", "COMPLETED"), ("done", "COMPLETED")]
    else:
        assert await stage.walked(run) == walked, "passed is passed"
    await stage.require_counts()


async def test_a_goal_below_takes_those_above_it_alone_and_one_anywhere_all(stage: Stage) -> None:
    steps = [
        step("ask", "ifElse", None, {"YES": "left", "NO": "right"}, where=tagged("left")),
        step("left", "waitFor", "below", duration={"days": 1}),
        goal("below", "x", next="after"),
        step("after", "waitFor", duration={"days": 1}),
        step("right", "waitFor", "anywhere", duration={"days": 1}),
        goal("anywhere", "y", position="ANYWHERE"),
    ]
    automation_id = await stage.draw(steps)
    left, right = await stage.contact(tags=["left"]), await stage.contact()
    on_left, on_right = await stage.enter(automation_id, left, right)
    await stage.settle()
    for contact in (left, right):
        await stage.tag(contact, "x")
    await stage.settle()
    assert (await stage.walked(on_left))[1:] == [
        ("left", "SKIPPED GOAL_JUMP"),
        ("below", "COMPLETED"),
        ("after", "IN_PROGRESS"),
    ]
    assert await stage.walked(on_right) == [("ask", "COMPLETED"), ("right", "IN_PROGRESS")], "it is on another branch"
    for contact in (left, right):
        await stage.tag(contact, "y")
    await stage.settle()
    assert (await stage.walked(on_left))[3:] == [("after", "SKIPPED GOAL_JUMP"), ("anywhere", "COMPLETED")]
    assert (await stage.walked(on_right))[1:] == [("right", "SKIPPED GOAL_JUMP"), ("anywhere", "COMPLETED")]
    await stage.require_counts()


async def test_of_several_goals_the_nearest_below_comes_first_and_then_the_others(stage: Stage) -> None:
    steps = line(LONG, goal("one", "x"), LATE, goal("two", "y"), DONE)
    automation_id = await stage.draw(steps)
    contact = await stage.contact()
    run, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    await stage.tag(contact, "x", "y")
    await stage.settle()
    assert await stage.walked(run) == [
        ("long", "SKIPPED GOAL_JUMP"),
        ("one", "COMPLETED"),
        ("late", "SKIPPED GOAL_JUMP"),
        ("two", "COMPLETED"),
        ("done", "COMPLETED"),
    ]
    await stage.require_counts()


async def test_a_goal_is_met_once_a_run_and_again_in_another(stage: Stage) -> None:
    steps = [
        step("w", "waitFor", "g", duration={"hours": 1}),
        goal("g", "x", next="back"),
        step("back", "goTo", step="w"),
    ]
    automation_id = await stage.draw(steps)
    contact = await stage.contact(tags=["x"])
    run, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    stage.later(hours=1)
    await stage.settle()
    assert await stage.walked(run) == [
        ("w", "SKIPPED GOAL_JUMP"),
        ("g", "COMPLETED"),
        ("back", "COMPLETED"),
        ("w", "COMPLETED"),
        ("g", "SKIPPED GOAL_PASSED"),
        ("back", "COMPLETED"),
        ("w", "IN_PROGRESS"),
    ]
    again, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    assert (await stage.walked(again))[1] == ("g", "COMPLETED")


async def test_goals_while_it_is_off_and_goals_that_are_put_in(stage: Stage) -> None:
    automation_id = await stage.draw(line(LONG, goal("g", "x"), DONE))
    first, second = await stage.contact(), await stage.contact()
    one, two = await stage.enter(automation_id, first, second)
    await stage.settle()
    await publish.deactivate(automation_id, by=stage.caller)
    await stage.tag(first, "x")
    await stage.settle()
    assert await stage.walked(one) == [("long", "IN_PROGRESS")]
    await publish.activate(automation_id, by=stage.caller)
    await stage.settle()
    assert (await stage.walked(one))[1] == ("g", "COMPLETED")
    await stage.tag(second, "y")
    await stage.settle()
    steps = line(LONG, goal("g", "x"), goal("h", "y"), DONE)
    await publish.update(automation_id, {"steps": steps}, by=stage.caller)
    await stage.settle()
    assert await stage.walked(two) == [
        ("long", "SKIPPED GOAL_JUMP"),
        ("g", "SKIPPED GOAL_JUMP"),
        ("h", "COMPLETED"),
        ("done", "COMPLETED"),
    ]
    await stage.require_counts()


async def test_a_goal_that_time_brings_about_is_met_at_its_instant(stage: Stage) -> None:
    rule = {"contact": {"field": "CREATED_AT", "op": "MORE_THAN_AGO", "value": {"minutes": 5}}}
    automation_id = await stage.draw(line(LONG, step("g", "goal", name="Old", where=rule)))
    run, *_ = await stage.enter(automation_id, await stage.contact())
    began = stage.now
    await stage.settle()
    looks = 0
    while (due := (await stage.run(run))["due_at"]) is not None:
        assert (await stage.run(run))["deadline_at"] == began + timedelta(days=9)  # what people are shown
        stage.caller = stage.caller.at(due)
        await stage.settle()
        looks += 1
    assert await stage.walked(run) == [("long", "SKIPPED GOAL_JUMP"), ("g", "COMPLETED")]
    assert timedelta(minutes=5) <= stage.now - began <= timedelta(minutes=5, seconds=1)
    assert looks <= 3


def test_the_direct_line_leaves_out_what_only_some_come_through() -> None:
    drawn, problems = graph.read(
        [
            step("a", "addTag", "fork", tag="a"),
            step("fork", "ifElse", None, {"YES": "one", "NO": "two"}, where=tagged("z")),
            step("one", "addTag", "join", tag="one"),
            step("two", "addTag", "join", tag="two"),
            step("join", "addTag", "g", tag="join"),
            goal("g", "x"),
        ]
    )
    assert not problems
    found = goals.of(drawn)
    assert found is not None
    assert found.line("a", "g") == ("fork", "join")
    assert found.line("one", "g") == ("join",)
    assert found.before("g") == ()
