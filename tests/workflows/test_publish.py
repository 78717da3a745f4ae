"""Changes while contacts are inside (domain 2.11)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from kit import db
from kit.errors import Refused
from kit.sql import Sql
from tests.workflows.stage import Stage, line, on, step, tagged
from workflows import engine, publish

WAIT = step("w", "waitFor", duration={"days": 1})


async def test_an_automation_is_made_inactive(stage: Stage) -> None:
    automation_id = await publish.create({"name": " Hello ", "steps": [step("e", "end")]}, by=stage.caller)
    row = await db.row(Sql("SELECT a.* FROM automation a WHERE a.id = {id}::bigint", id=automation_id))
    assert row is not None
    assert (row["name"], row["status"], row["version"], row["entry_policy"]) == ("Hello", "INACTIVE", 1, "ANY")


async def test_what_an_update_does_not_name_stays(stage: Stage) -> None:
    automation_id = await stage.draw(
        [step("e", "end")], on("tagAdded", tag="go"), description="Old", entry_policy="ONCE"
    )
    await publish.update(automation_id, {"name": "New", "description": None}, by=stage.caller)
    row = await db.row(Sql("SELECT a.* FROM automation a WHERE a.id = {id}::bigint", id=automation_id))
    assert row is not None
    assert (row["name"], row["description"], row["entry_policy"], row["version"]) == ("New", None, "ONCE", 1)
    assert await db.value(Sql("SELECT count(*) FROM trigger g WHERE g.removed_at IS NULL")) == 1
    with pytest.raises(Refused):
        await publish.update(automation_id, {"steps": []}, by=stage.caller)
    with pytest.raises(Refused) as refusal:
        await publish.update(2**30, {"name": "Nobody"}, by=stage.caller)
    assert (refusal.value.problems[0].code, refusal.value.problems[0].path) == ("NOT_FOUND", ("id",))


async def test_steps_inserted_above_are_not_run_and_below_are(stage: Stage) -> None:
    automation_id = await stage.draw([WAIT])
    contact = await stage.contact()
    run, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    steps = line(step("above", "addTag", tag="above"), WAIT, step("below", "addTag", tag="below"))
    await publish.update(automation_id, {"steps": steps}, by=stage.caller)
    stage.later(days=1)
    await stage.settle()
    assert await stage.walked(run) == [("w", "COMPLETED"), ("below", "COMPLETED")]
    assert await stage.tags_of(contact) == {"below"}
    await stage.require_counts()


@pytest.mark.parametrize(("hours", "left"), [(48, 25), (24, 1), (23, 0), (1, 0)])
async def test_time_already_spent_counts(stage: Stage, hours: int, left: int) -> None:
    automation_id = await stage.draw([WAIT])
    run, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    stage.later(hours=23)
    steps = [step("w", "waitFor", duration={"hours": hours})]
    await publish.update(automation_id, {"steps": steps}, by=stage.caller)
    await stage.settle()
    if left:
        assert (await stage.run(run))["due_at"] == stage.now + timedelta(hours=left)
    else:
        assert (await stage.run(run))["end_reason"] == "COMPLETED"
    await stage.require_counts()


async def test_a_new_rule_is_looked_at_for_those_who_wait(stage: Stage) -> None:
    automation_id = await stage.draw([step("w", "waitUntilCondition", where=tagged("paid"))])
    run, *_ = await stage.enter(automation_id, await stage.contact(tags=["vip"]))
    await stage.settle()
    steps = [step("w", "waitUntilCondition", where=tagged("vip"))]
    await publish.update(automation_id, {"steps": steps}, by=stage.caller)
    await stage.settle()
    assert await stage.walked(run) == [("w", "COMPLETED")]


async def test_who_rests_on_a_step_that_is_gone_goes_to_the_next(stage: Stage) -> None:
    automation_id = await stage.draw(line(WAIT, step("x", "addTag", tag="gone"), step("t", "addTag", tag="next")))
    contact = await stage.contact()
    run, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    await publish.update(automation_id, {"steps": [step("t", "addTag", tag="next")]}, by=stage.caller)
    await stage.settle()
    assert await stage.walked(run) == [("w", "SKIPPED STEP_DELETED"), ("t", "COMPLETED")]
    assert await stage.tags_of(contact) == {"next"}
    assert (await stage.path(run))[0]["label"] == "Wait 1 day", "its label is kept"
    await stage.require_counts()


async def test_and_ends_where_nothing_is_left(stage: Stage) -> None:
    automation_id = await stage.draw([WAIT])
    run, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    await publish.update(automation_id, {"steps": [step("new", "addTag", tag="x")]}, by=stage.caller)
    await stage.settle()
    assert await stage.walked(run) == [("w", "SKIPPED STEP_DELETED")]
    assert (await stage.run(run))["end_reason"] == "COMPLETED"
    await stage.require_counts()


async def test_a_step_of_another_kind_is_another_step(stage: Stage) -> None:
    automation_id = await stage.draw([WAIT])
    run, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    await publish.update(automation_id, {"steps": [step("w", "addTag", tag="x")]}, by=stage.caller)
    await stage.settle()
    assert await stage.walked(run) == [("w", "SKIPPED STEP_DELETED"), ("w", "COMPLETED")]
    await stage.require_counts()


async def test_a_new_name_of_a_step_leaves_the_old_one_in_old_paths(stage: Stage) -> None:
    automation_id = await stage.draw([{**WAIT, "label": "Rest"}])
    run, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    await publish.update(automation_id, {"steps": [{**WAIT, "label": "Sleep"}]}, by=stage.caller)
    later, *_ = await stage.enter(automation_id, await stage.contact())
    stage.later(days=1)
    await stage.settle()
    assert [each["label"] for each in await stage.path(run)] == ["Rest"]
    assert [each["label"] for each in await stage.path(later)] == ["Sleep"]
    await stage.require_counts()


async def test_inactive_means_nobody_moves_and_clocks_run_on(stage: Stage) -> None:
    automation_id = await stage.draw(line(WAIT, step("t", "addTag", tag="x")))
    first, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    stage.later(hours=12)
    second, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    await publish.deactivate(automation_id, by=stage.caller)
    stage.later(hours=20)
    await stage.settle()
    assert await stage.walked(first) == [("w", "IN_PROGRESS")]
    await publish.activate(automation_id, by=stage.caller)
    await stage.settle()
    assert (await stage.run(first))["end_reason"] == "COMPLETED", "overdue: it moves at once"
    assert await stage.walked(second) == [("w", "IN_PROGRESS")], "the other waits only the rest"
    stage.later(hours=4)
    await stage.settle()
    assert (await stage.run(second))["end_reason"] == "COMPLETED"


async def test_rules_are_looked_at_anew_at_reactivation(stage: Stage) -> None:
    automation_id = await stage.draw([step("w", "waitUntilCondition", where=tagged("paid"))])
    contact = await stage.contact()
    run, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    await publish.deactivate(automation_id, by=stage.caller)
    await stage.tag(contact, "paid")
    await stage.settle()
    assert await stage.walked(run) == [("w", "IN_PROGRESS")]
    await publish.activate(automation_id, by=stage.caller)
    await stage.settle()
    assert await stage.walked(run) == [("w", "COMPLETED")]


async def test_activation_looks_at_what_is_named(stage: Stage) -> None:
    from services import lists

    list_id = await lists.create("News", by=stage.caller)
    automation_id = await stage.draw([step("s", "subscribe", listId=f"list_{list_id}")], active=False)
    await db.execute(Sql("DELETE FROM contact_list"))
    with pytest.raises(Refused) as refusal:
        await publish.activate(automation_id, by=stage.caller)
    assert refusal.value.problems[0].path == ("steps", "0", "do", "subscribe", "listId")


async def test_after_a_deactivation_is_committed_nothing_moves(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    automation_id = await stage.draw(line(step("t", "addTag", tag="x"), WAIT))
    await stage.enter(automation_id, *await stage.crowd(20))
    write = engine.Journal.write
    moved, go_on = asyncio.Event(), asyncio.Event()

    async def slow_write(journal: engine.Journal, by: object) -> None:
        moved.set()
        await go_on.wait()
        await write(journal, by)

    monkeypatch.setattr(engine.Journal, "write", slow_write)
    moving = asyncio.create_task(engine.advance(automation_id, stage.now, count_max=10))
    await moved.wait()
    deactivating = asyncio.create_task(publish.deactivate(automation_id, by=stage.caller))
    await asyncio.sleep(0.1)
    assert not deactivating.done(), "it waits for the pass that is under way"
    assert await engine.advance(automation_id, stage.now) == 0, "and no new pass begins meanwhile"
    go_on.set()
    await moving
    await deactivating
    assert await engine.pass_(stage.now) == 0
    assert await db.value(Sql("SELECT count(*) FROM visit i WHERE i.status = 'IN_PROGRESS'")) == 10
