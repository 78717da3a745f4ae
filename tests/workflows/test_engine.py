"""Contacts move: steps act, waits hold, faults stay alone, and every effect happens once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from kit import db
from kit.sql import Sql, ids
from services import fields, lists, memberships, notes
from tests.workflows.stage import Stage, line, on, step, tagged
from workflows import dispatch, engine, entry, publish


async def test_a_contact_goes_along_the_branch_that_holds(stage: Stage) -> None:
    automation_id = await stage.draw(
        [
            step("ask", "ifElse", None, {"YES": "thank", "NO": None}, where=tagged("vip")),
            step("thank", "addTag", tag="thanked"),
        ]
    )
    vip, other = await stage.contact(tags=["vip"]), await stage.contact()
    runs = await stage.enter(automation_id, vip, other)
    await stage.settle()
    assert [each["branch"] for each in await stage.path(runs[0])] == ["YES", None]
    assert await stage.walked(runs[1]) == [("ask", "COMPLETED")]
    assert "thanked" in await stage.tags_of(vip)
    assert await stage.tags_of(other) == set()
    assert [run["end_reason"] for run in await stage.runs()] == ["COMPLETED", "COMPLETED"]
    await stage.require_counts()


async def test_what_is_so_already_is_completed_as_noop(stage: Stage) -> None:
    automation_id = await stage.draw([step("a", "addTag", tag="vip")])
    run, *_ = await stage.enter(automation_id, await stage.contact(tags=["vip"]))
    await stage.settle()
    (visit,) = await stage.path(run)
    assert (visit["status"], visit["detail"]) == ("COMPLETED", {"noop": True})


async def test_a_wait_holds_for_its_duration_and_no_longer(stage: Stage) -> None:
    automation_id = await stage.draw(
        line(step("w", "waitFor", duration={"days": 1, "hours": 2}), step("t", "addTag", tag="late"))
    )
    contact = await stage.contact()
    run, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    began = stage.now
    assert (await stage.run(run))["due_at"] == began + timedelta(hours=26)
    stage.later(hours=25, minutes=59)
    await stage.settle()
    assert await stage.walked(run) == [("w", "IN_PROGRESS")]
    stage.later(minutes=1)
    await stage.settle()
    assert await stage.walked(run) == [("w", "COMPLETED"), ("t", "COMPLETED")]
    visit = (await stage.path(run))[0]
    assert (visit["entered_at"], visit["finished_at"]) == (began, stage.now)
    await stage.require_counts()


async def test_a_month_is_a_month_of_the_calendar(stage: Stage) -> None:
    stage.caller = stage.caller.at(stage.now.replace(month=1, day=31, hour=12))
    automation_id = await stage.draw([step("w", "waitFor", duration={"months": 1})])
    run, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    due = (await stage.run(run))["due_at"]
    assert (due.month, due.day) == (2, 28)


async def test_a_wait_of_nothing_passes_at_once(stage: Stage) -> None:
    automation_id = await stage.draw([step("w", "waitFor", duration={"seconds": 0})])
    run, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    assert await stage.walked(run) == [("w", "COMPLETED")]


class TestWaitUntilCondition:
    """A rest until a rule holds (domain 2.5)."""

    STEPS = (step("w", "waitUntilCondition", where=tagged("paid")), step("t", "addTag", tag="happy"))

    async def test_true_on_arrival_passes_at_once(self, stage: Stage) -> None:
        automation_id = await stage.draw(line(*self.STEPS))
        run, *_ = await stage.enter(automation_id, await stage.contact(tags=["paid"]))
        await stage.settle()
        assert await stage.walked(run) == [("w", "COMPLETED"), ("t", "COMPLETED")]

    async def test_a_fact_about_the_contact_ends_it(self, stage: Stage) -> None:
        automation_id = await stage.draw(line(*self.STEPS))
        contact = await stage.contact()
        run, *_ = await stage.enter(automation_id, contact)
        await stage.settle()
        assert (await stage.run(run))["due_at"] is None, "nothing but a fact wakes it"
        await stage.tag(contact, "other")
        await stage.settle()
        assert await stage.walked(run) == [("w", "IN_PROGRESS")]
        await stage.tag(contact, "paid")
        await stage.settle()
        assert await stage.walked(run) == [("w", "COMPLETED"), ("t", "COMPLETED")]
        await stage.require_counts()

    async def test_a_fact_between_look_and_commit_is_not_lost(self, stage: Stage) -> None:
        """The engine looks; the tag comes and is dispatched; only then the engine commits."""
        automation_id = await stage.draw(line(*self.STEPS))
        contact = await stage.contact()
        await stage.settle()
        run, *_ = await stage.enter(automation_id, contact)
        looked, go_on = asyncio.Event(), asyncio.Event()
        write = engine.Journal.write

        async def slow_write(journal: engine.Journal, by: object) -> None:
            looked.set()
            await go_on.wait()
            await write(journal, by)

        engine.Journal.write = slow_write
        try:
            moving = asyncio.create_task(engine.pass_(stage.now))
            await looked.wait()
            await asyncio.create_task(stage.tag(contact, "paid"))
            while await asyncio.create_task(dispatch.pass_(stage.now)):
                pass
            go_on.set()
            await moving
        finally:
            engine.Journal.write = write
        await engine.pass_(stage.now)
        assert await stage.walked(run) == [("w", "COMPLETED"), ("t", "COMPLETED")]

    async def test_at_the_timeout_they_go_on(self, stage: Stage) -> None:
        automation_id = await stage.draw(
            line(
                step("w", "waitUntilCondition", where=tagged("paid"), timeout={"hours": 1}),
                step("t", "addTag", tag="reminded"),
            )
        )
        run, *_ = await stage.enter(automation_id, await stage.contact())
        await stage.settle()
        assert (await stage.run(run))["due_at"] == stage.now + timedelta(hours=1)
        stage.later(hours=1)
        await stage.settle()
        path = await stage.path(run)
        assert (path[0]["status"], path[0]["detail"]) == ("COMPLETED", {"timedOut": True})
        assert path[1]["key"] == "t"

    async def test_what_comes_true_by_time_alone_is_seen(self, stage: Stage) -> None:
        rule = {"contact": {"field": "CREATED_AT", "op": "MORE_THAN_AGO", "value": {"minutes": 5}}}
        automation_id = await stage.draw([step("w", "waitUntilCondition", where=rule)])
        run, *_ = await stage.enter(automation_id, await stage.contact())
        await stage.settle()
        for _ in range(7):
            stage.later(seconds=60)
            await stage.settle()
        assert await stage.walked(run) == [("w", "COMPLETED")]


async def test_a_circle_is_walked_with_separate_visits(stage: Stage) -> None:
    automation_id = await stage.draw(
        [
            step("w", "waitFor", "ask", duration={"hours": 1}),
            step("ask", "ifElse", None, {"YES": "done", "NO": "back"}, where=tagged("enough")),
            step("back", "goTo", step="w"),
            step("done", "end", reason="Enough"),
        ]
    )
    contact = await stage.contact()
    run, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    for _ in range(2):
        stage.later(hours=1)
        await stage.settle()
    await stage.tag(contact, "enough")
    stage.later(hours=1)
    await stage.settle()
    assert [key for key, _ in await stage.walked(run)] == ["w", "ask", "back", "w", "ask", "back", "w", "ask", "done"]
    assert [each["seq"] for each in await stage.path(run)] == list(range(1, 10))
    assert (await stage.run(run))["end_reason"] == "END_ACTION"
    await stage.require_counts()


async def test_two_hundred_steps_without_a_wait_are_enough(stage: Stage) -> None:
    automation_id = await stage.draw(
        [step("w", "waitUntilCondition", "t", where=tagged("loop")), step("t", "addTag", "w", tag="loop")]
    )
    contact = await stage.contact(tags=["loop"])
    run, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    path = await stage.path(run)
    assert len(path) == 201
    assert (path[-1]["status"], path[-1]["reason"]) == ("FAILED", "LOOP_GUARD")
    assert (await stage.run(run))["end_reason"] == "ERROR"
    await stage.require_counts()


async def test_who_left_a_list_by_themselves_is_not_put_back(stage: Stage) -> None:
    list_id = await lists.create("News", by=stage.caller)
    automation_id = await stage.draw([step("s", "subscribe", listId=f"list_{list_id}")])
    gone, new = await stage.contact(), await stage.contact()
    await memberships.join(ids([gone]), list_id, by=stage.caller)
    await memberships.leave(ids([gone]), list_id, by=replace(stage.caller, source="CONTACT"))
    first, second = await stage.enter(automation_id, gone, new)
    await stage.settle()
    assert await stage.walked(first) == [("s", "SKIPPED PREVIOUSLY_UNSUBSCRIBED")]
    assert await stage.walked(second) == [("s", "COMPLETED")]
    assert (
        await db.value(Sql("SELECT m.source FROM membership m WHERE m.contact_id = {id}::bigint", id=new))
        == "AUTOMATION"
    )
    await stage.require_counts()


async def test_notes_and_tasks_tell_of_the_run(stage: Stage) -> None:
    automation_id = await stage.draw(
        line(step("n", "addNote", text="Hello"), step("k", "addTask", title="Call", dueIn={"days": 2}))
    )
    run, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    assert await stage.walked(run) == [("n", "COMPLETED"), ("k", "COMPLETED")]
    assert await db.rows(Sql("SELECT n.text, n.run_id FROM note n")) == [{"text": "Hello", "run_id": run}]
    due = stage.now + timedelta(days=2)
    assert await db.rows(Sql("SELECT k.title, k.due_at, k.run_id FROM task k")) == [
        {"title": "Call", "due_at": due, "run_id": run}
    ]


async def test_two_runs_of_one_contact_count_twice(stage: Stage) -> None:
    await fields.create({"name": "visits", "label": "Visits", "type": "NUMBER"}, by=stage.caller)
    automation_id = await stage.draw([step("f", "setField", name="visits", op="ADD", value=1)])
    contact = await stage.contact()
    await stage.enter(automation_id, contact)
    await stage.enter(automation_id, contact)
    await stage.settle()
    assert await db.value(Sql("SELECT v.number_value FROM field_value v")) == 2


async def test_an_address_that_is_taken_fails_the_step_for_one_contact(stage: Stage) -> None:
    automation_id = await stage.draw(
        line(step("f", "setField", name="email", op="CLEAR"), step("t", "addTag", tag="on"))
    )
    alone, both = await stage.contact(), await stage.contact(phone="+33612345678")
    first, second = await stage.enter(automation_id, alone, both)
    await stage.settle()
    assert await stage.walked(first) == [("f", "FAILED IDENTIFIER_REQUIRED"), ("t", "COMPLETED")]
    assert await stage.walked(second) == [("f", "COMPLETED"), ("t", "COMPLETED")]
    await stage.require_counts()


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Contacts for whom adding a note breaks the whole statement."""
    poisoned: set[int] = set()
    add = notes.add

    async def fragile(contacts: Sql, text: str, **rest: object) -> object:
        done = await add(contacts, text, **rest)
        if poisoned:
            await db.execute(
                Sql(
                    "SELECT 1 / (CASE WHEN w.id = ANY({bad}::bigint[]) THEN 0 ELSE 1 END) FROM ({contacts}) AS w",
                    bad=sorted(poisoned),
                    contacts=contacts,
                )
            )
        return done

    monkeypatch.setattr("workflows.steps.add_note.notes.add", fragile)
    return poisoned


class TestFaults:
    """One bad contact never holds back 999."""

    async def test_the_faulty_contact_is_found_and_the_others_go_on(self, stage: Stage, poison: set[int]) -> None:
        automation_id = await stage.draw(line(step("n", "addNote", text="Hi"), step("t", "addTag", tag="on")))
        people = await stage.crowd(100)
        runs = dict(zip(people, await stage.enter(automation_id, *people), strict=True))
        poison.add(people[37])
        await stage.settle()
        assert await db.value(Sql("SELECT count(*) FROM note")) == 99
        bad = runs.pop(people[37])
        for run in runs.values():
            assert (await stage.run(run))["end_reason"] == "COMPLETED"
        assert await stage.walked(bad) == [("n", "IN_PROGRESS")]
        await stage.require_counts()

    async def test_it_is_tried_three_times_and_then_goes_on(self, stage: Stage, poison: set[int]) -> None:
        automation_id = await stage.draw(line(step("n", "addNote", text="Hi"), step("t", "addTag", tag="on")))
        contact = await stage.contact()
        run, *_ = await stage.enter(automation_id, contact)
        poison.add(contact)
        await stage.settle()
        assert (await stage.run(run))["due_at"] == stage.now + timedelta(seconds=2)
        stage.later(seconds=2)
        await stage.settle()
        assert (await stage.run(run))["due_at"] == stage.now + timedelta(seconds=4)
        stage.later(seconds=4)
        await stage.settle()
        assert await stage.walked(run) == [("n", "FAILED STEP_ERROR"), ("t", "COMPLETED")]
        assert await db.value(Sql("SELECT count(*) FROM note")) == 0
        await stage.require_counts()

    async def test_a_fault_that_passes_leaves_one_effect(self, stage: Stage, poison: set[int]) -> None:
        automation_id = await stage.draw([step("n", "addNote", text="Hi")])
        contact = await stage.contact()
        run, *_ = await stage.enter(automation_id, contact)
        poison.add(contact)
        await stage.settle()
        poison.clear()
        stage.later(seconds=2)
        await stage.settle()
        assert await stage.walked(run) == [("n", "COMPLETED")]
        assert await db.value(Sql("SELECT count(*) FROM note")) == 1
        await stage.require_counts()

    async def test_what_a_step_is_about_may_be_gone(self, stage: Stage) -> None:
        list_id = await lists.create("News", by=stage.caller)
        automation_id = await stage.draw(
            line(step("s", "subscribe", listId=f"list_{list_id}"), step("t", "addTag", tag="on"))
        )
        await db.execute(Sql("DELETE FROM contact_list"))
        run, *_ = await stage.enter(automation_id, await stage.contact())
        await stage.settle()
        assert await stage.walked(run) == [("s", "FAILED MISSING_REFERENCE"), ("t", "COMPLETED")]

    async def test_an_automation_that_cannot_be_read_holds_up_no_other(self, stage: Stage, logged: list) -> None:
        broken = await stage.draw([step("t", "addTag", tag="on")])
        sound = await stage.draw([step("t", "addTag", tag="on")])
        contact = await stage.contact()
        stuck, *_ = await stage.enter(broken, contact)
        await db.execute(
            Sql(
                """
                UPDATE automation_version av SET graph = '{"steps": []}'::jsonb WHERE av.automation_id = {id}::bigint
                """,
                id=broken,
            )
        )
        stage.later(seconds=1)
        run, *_ = await stage.enter(sound, contact)
        assert await engine.pass_(stage.now) == 1
        assert (await stage.run(run))["end_reason"] == "COMPLETED"
        assert (await stage.run(stuck))["end_reason"] is None
        assert [(line["event"], line["automation"]) for line in logged] == [("automation_stuck", broken)]

    async def test_a_crash_before_the_commit_leaves_nothing(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        automation_id = await stage.draw(
            line(step("t", "addTag", tag="on"), step("w", "waitFor", duration={"days": 1}))
        )
        run, *_ = await stage.enter(automation_id, await stage.contact())

        async def dies(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(engine.Journal, "write", dies)
            with pytest.raises(KeyboardInterrupt):
                await engine.pass_(stage.now)
        assert await db.value(Sql("SELECT count(*) FROM contact_tag")) == 0
        assert await stage.walked(run) == []
        await stage.settle()
        assert await stage.walked(run) == [("t", "COMPLETED"), ("w", "IN_PROGRESS")]
        await stage.require_counts()


async def test_passes_at_the_same_time_share_the_work(stage: Stage) -> None:
    await fields.create({"name": "visits", "label": "Visits", "type": "NUMBER"}, by=stage.caller)
    automation_id = await stage.draw(
        line(step("f", "setField", name="visits", op="ADD", value=1), step("n", "addNote", text="Once"))
    )
    people = await stage.crowd(600)
    await stage.enter(automation_id, *people)

    async def work() -> None:
        while await engine.advance(automation_id, stage.now, count_max=50):
            pass

    await asyncio.gather(*(asyncio.create_task(work()) for _ in range(4)))
    assert await db.value(Sql("SELECT count(*) FROM run r WHERE r.end_reason = 'COMPLETED'")) == 600
    assert await db.value(Sql("SELECT count(*) FROM note")) == 600
    assert await db.value(Sql("SELECT bool_and(v.number_value = 1) FROM field_value v"))
    await stage.require_counts()


async def test_an_automation_starts_another_and_says_who_did(stage: Stage) -> None:
    inner = await stage.draw([step("t", "addTag", tag="inner")], name="Inner")
    outer = await stage.draw([step("s", "startAutomation", automationId=f"automation_{inner}")], name="Outer")
    contact = await stage.contact()
    await stage.enter(outer, contact)
    await stage.settle()
    (run,) = await stage.runs(inner)
    assert (run["via"], run["entry_label"], run["depth"]) == ("AUTOMATION", "Started by Outer", 1)
    assert "inner" in await stage.tags_of(contact)


async def test_starting_is_skipped_where_the_other_does_not_let_in(stage: Stage) -> None:
    off = await stage.draw([step("t", "end")], active=False)
    once = await stage.draw([step("t", "end")], entry_policy="ONCE")
    outer = await stage.draw(
        line(
            step("a", "startAutomation", automationId=f"automation_{off}"),
            step("b", "startAutomation", automationId=f"automation_{once}"),
            step("c", "startAutomation", automationId=f"automation_{once}"),
        )
    )
    run, *_ = await stage.enter(outer, await stage.contact())
    await stage.settle()
    assert await stage.walked(run) == [
        ("a", "SKIPPED TARGET_INACTIVE"),
        ("b", "COMPLETED"),
        ("c", "SKIPPED ENTRY_NOT_ALLOWED"),
    ]


async def test_automations_that_start_each_other_come_to_an_end(stage: Stage) -> None:
    first = await stage.draw([step("e", "end")])
    second = await stage.draw([step("s", "startAutomation", automationId=f"automation_{first}")])
    await publish.update(
        first, {"steps": [step("s", "startAutomation", automationId=f"automation_{second}")]}, by=stage.caller
    )
    await stage.enter(first, await stage.contact())
    await stage.settle()
    runs = await stage.runs()
    assert [run["depth"] for run in runs] == list(range(21))
    assert [run["end_reason"] for run in runs] == ["COMPLETED"] * 20 + ["ERROR"]
    assert await stage.walked(runs[-1]["id"]) == [("s", "FAILED CHAIN_TOO_DEEP")]


async def test_an_automation_ends_others(stage: Stage) -> None:
    waiting = await stage.draw([step("w", "waitFor", duration={"days": 1})])
    ending = await stage.draw(
        line(
            step("a", "endAutomation", automationId=f"automation_{waiting}"),
            step("b", "endAutomation", which="OTHERS"),
            step("c", "endAutomation", which="THIS"),
        )
    )
    contact = await stage.contact()
    held, *_ = await stage.enter(waiting, contact)
    await stage.settle()
    run, *_ = await stage.enter(ending, contact)
    await stage.settle()
    assert (await stage.run(held))["end_reason"] == "ENDED_BY_AUTOMATION"
    assert await stage.walked(held) == [("w", "SKIPPED ENDED_BY_AUTOMATION")]
    path = await stage.path(run)
    assert [each["detail"] for each in path] == [None, {"noop": True}, None]
    assert (await stage.run(run))["end_reason"] == "ENDED_BY_AUTOMATION"
    await stage.require_counts()


async def test_facts_made_by_steps_let_into_other_automations(stage: Stage) -> None:
    await stage.draw([step("t", "addTag", tag="second")], on("tagAdded", tag="first"))
    await stage.draw([step("t", "addTag", tag="third")], on("tagAdded", tag="second"))
    contact = await stage.contact()
    await stage.tag(contact, "first")
    await stage.settle()
    assert await stage.tags_of(contact) == {"first", "second", "third"}


async def test_the_first_steps_are_done_in_one_pass(stage: Stage) -> None:
    automation_id = await stage.draw(
        line(step("a", "addTag", tag="x"), step("b", "removeTag", tag="x"), step("c", "end"))
    )
    run = await entry.enter_one(await stage.contact(), automation_id, by=stage.caller)
    assert await engine.pass_(stage.now) == 1
    assert len(await stage.path(run)) == 3


async def test_set_field_can_count_and_note_the_time(stage: Stage) -> None:
    await fields.create({"name": "seenAt", "label": "Seen", "type": "DATETIME"}, by=stage.caller)
    automation_id = await stage.draw([step("f", "setField", name="seenAt", op="NOW")])
    await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    assert await db.value(Sql("SELECT v.time_value FROM field_value v")) == stage.now
