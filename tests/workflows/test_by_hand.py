"""What people do to one run (domain 2.8, 2.10): hold it, let it go on, end a wait of it, end it."""

from __future__ import annotations

import pytest

from kit.errors import Refused
from tests.workflows.stage import Stage, line, step, tagged
from workflows import by_hand, publish

REST = step("rest", "waitFor", duration={"hours": 2})
HOPE = step("hope", "waitUntilCondition", where=tagged("x"))
DONE = step("done", "addTag", tag="done")


async def test_a_run_that_is_held_does_not_move_and_its_clock_runs_on(stage: Stage) -> None:
    automation_id = await stage.draw(line(REST, HOPE, DONE))
    contact, other = await stage.contact(), await stage.contact()
    run, free = await stage.enter(automation_id, contact, other)
    await by_hand.pause(run, by=stage.caller)
    await stage.settle()
    assert await stage.walked(run) == [], "not even the first step"
    assert await stage.walked(free) == [("rest", "IN_PROGRESS")]
    await by_hand.resume(run, by=stage.caller)
    await stage.settle()
    await by_hand.pause(run, by=stage.caller)
    held = (await stage.run(run))["paused_at"]
    stage.later(hours=3)
    await by_hand.pause(run, by=stage.caller)
    assert (await stage.run(run))["paused_at"] == held
    await stage.settle()
    assert await stage.walked(run) == [("rest", "IN_PROGRESS")]
    await by_hand.resume(run, by=stage.caller)
    await stage.settle()
    assert await stage.walked(run) == [("rest", "COMPLETED"), ("hope", "IN_PROGRESS")]
    await by_hand.pause(run, by=stage.caller)
    await stage.tag(contact, "x")
    await stage.settle()
    assert await stage.walked(run) == [("rest", "COMPLETED"), ("hope", "IN_PROGRESS")]
    await by_hand.resume(run, by=stage.caller)
    await stage.settle()
    assert (await stage.run(run))["end_reason"] == "COMPLETED"
    await stage.require_counts()


async def test_a_wait_is_skipped_for_one_contact(stage: Stage) -> None:
    goal = step("goal", "goal", name="Paid", where=tagged("paid"), otherwise="WAIT")
    automation_id = await stage.draw(line(REST, HOPE, goal, DONE))
    run, other = await stage.enter(automation_id, await stage.contact(), await stage.contact())
    await stage.settle()
    for _ in range(3):
        await by_hand.skip_wait(run, by=stage.caller)
        await stage.settle()
    assert await stage.walked(run) == [
        ("rest", "SKIPPED MANUAL_SKIP"),
        ("hope", "SKIPPED MANUAL_SKIP"),
        ("goal", "SKIPPED MANUAL_SKIP"),
        ("done", "COMPLETED"),
    ]
    assert await stage.walked(other) == [("rest", "IN_PROGRESS")]
    await stage.require_counts()


async def test_a_skipped_wait_at_the_end_and_in_an_automation_that_is_off(stage: Stage) -> None:
    automation_id = await stage.draw(line(REST, DONE, step("last", "waitFor", duration={"days": 1})))
    run, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    await publish.deactivate(automation_id, by=stage.caller)
    await by_hand.skip_wait(run, by=stage.caller)
    await stage.settle()
    assert await stage.walked(run) == [("rest", "SKIPPED MANUAL_SKIP")], "it goes on when the automation does"
    with pytest.raises(Refused) as refusal:
        await by_hand.skip_wait(run, by=stage.caller)
    assert refusal.value.problems[0].code == "NOT_WAITING"
    await publish.activate(automation_id, by=stage.caller)
    await stage.settle()
    await by_hand.skip_wait(run, by=stage.caller)
    assert (await stage.run(run))["end_reason"] == "COMPLETED"
    for verb in (by_hand.skip_wait, by_hand.pause, by_hand.resume):
        with pytest.raises(Refused) as refusal:
            await verb(run, by=stage.caller)
        assert refusal.value.problems[0].code == "RUN_ENDED"
        with pytest.raises(Refused) as refusal:
            await verb(2**40, by=stage.caller)
        assert (refusal.value.problems[0].code, refusal.value.problems[0].path) == ("NOT_FOUND", ("id",))
    await stage.require_counts()


async def test_a_wait_that_was_taken_out_is_skipped_to_what_is_left(stage: Stage) -> None:
    automation_id = await stage.draw(line(REST, HOPE, DONE))
    run, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    await publish.update(automation_id, {"steps": [DONE]}, by=stage.caller)
    await by_hand.skip_wait(run, by=stage.caller)
    await stage.settle()
    assert await stage.walked(run) == [("rest", "SKIPPED MANUAL_SKIP"), ("done", "COMPLETED")]


async def test_one_run_of_several_is_ended(stage: Stage) -> None:
    automation_id = await stage.draw([REST])
    contact = await stage.contact()
    first, *_ = await stage.enter(automation_id, contact)
    second, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    await by_hand.pause(first, by=stage.caller)
    await by_hand.end(first, by=stage.caller)
    ended = await stage.run(first)
    assert (ended["end_reason"], ended["paused_at"]) == ("MANUAL", None)
    assert (await stage.run(second))["end_reason"] is None
    await by_hand.end(first, by=stage.caller)
    assert await stage.run(first) == ended
    with pytest.raises(Refused):
        await by_hand.end(2**40, by=stage.caller)
    await stage.require_counts()
