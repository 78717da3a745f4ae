"""Who gets into an automation, and who gets out of it by hand (domain 2.2 and 2.10)."""

from __future__ import annotations

import asyncio

import pytest

from kit import db
from kit.errors import Refused
from kit.sql import Sql, ids
from services import contacts, fields, lists, memberships
from tests.workflows.stage import Stage, line, on, step, tagged
from workflows import dispatch, engine, entry, publish

END = [step("e", "end")]
WAIT = [step("w", "waitFor", duration={"days": 1})]


def codes(refusal: pytest.ExceptionInfo[Refused]) -> list[tuple[str, tuple[str, ...]]]:
    return [(problem.code, problem.path) for problem in refusal.value.problems]


class TestByHand:
    async def test_the_run_is_there_at_once(self, stage: Stage) -> None:
        automation_id = await stage.draw(list(END))
        run_id = await entry.enter_one(await stage.contact(), automation_id, by=stage.caller, via="MANUAL")
        run = await stage.run(run_id)
        assert (run["entry_number"], run["via"], run["actor"], run["due_at"]) == (1, "MANUAL", "user:1", stage.now)

    async def test_an_inactive_automation_lets_nobody_in(self, stage: Stage) -> None:
        automation_id = await stage.draw(list(END), active=False)
        with pytest.raises(Refused) as refusal:
            await entry.enter_one(await stage.contact(), automation_id, by=stage.caller)
        assert codes(refusal) == [("AUTOMATION_NOT_ACTIVE", ("automationId",))]

    async def test_what_does_not_exist_is_said(self, stage: Stage) -> None:
        automation_id = await stage.draw(list(END))
        with pytest.raises(Refused) as refusal:
            await entry.enter_one(2**40, automation_id, by=stage.caller)
        assert codes(refusal) == [("NOT_FOUND", ("contactId",))]
        with pytest.raises(Refused) as refusal:
            await entry.enter_one(1, 2**30, by=stage.caller)
        assert codes(refusal) == [("NOT_FOUND", ("automationId",))]

    async def test_entries_are_numbered(self, stage: Stage) -> None:
        automation_id = await stage.draw(list(END))
        contact = await stage.contact()
        for _ in range(3):
            await stage.enter(automation_id, contact)
        assert [run["entry_number"] for run in await stage.runs()] == [1, 2, 3]

    @pytest.mark.parametrize("policy", ["ONCE", "AFTER_EXIT"])
    async def test_the_entry_policy_binds(self, stage: Stage, policy: str) -> None:
        automation_id = await stage.draw(list(WAIT), entry_policy=policy)
        contact = await stage.contact()
        await stage.enter(automation_id, contact)
        with pytest.raises(Refused) as refusal:
            await entry.enter_one(contact, automation_id, by=stage.caller)
        assert codes(refusal) == [("ENTRY_NOT_ALLOWED", ("contactId",))]
        await entry.end(ids([contact]), automation_id, by=stage.caller)
        entered = await entry.enter(ids([contact]), automation_id, by=stage.caller)
        assert bool(entered.runs) == (policy == "AFTER_EXIT"), "an end by hand counts as an entry, and frees"

    async def test_of_many_at_once_a_policy_lets_one_in(self, stage: Stage) -> None:
        automation_id = await stage.draw(list(WAIT), entry_policy="ONCE")
        contact = await stage.contact()
        tries = (entry.enter(ids([contact]), automation_id, by=stage.caller) for _ in range(8))
        entered = await asyncio.gather(*(asyncio.create_task(each) for each in tries))
        assert sum(len(each.runs) for each in entered) == 1

    async def test_a_set_is_entered_in_one_go(self, stage: Stage) -> None:
        automation_id = await stage.draw(list(END))
        people = await stage.crowd(50)
        entered = await entry.enter(Sql("SELECT c.id FROM contact c"), automation_id, by=stage.caller)
        assert len(entered.runs) == len(people)
        await stage.require_counts()


class TestByTrigger:
    async def test_a_new_tag_lets_in_and_the_same_again_does_not(self, stage: Stage) -> None:
        await stage.draw(list(END), on("tagAdded", tag="Vip"))
        contact = await stage.contact()
        await stage.tag(contact, "vip")
        await stage.tag(contact, "VIP")
        await stage.tag(contact, "other")
        await stage.settle()
        (run,) = await stage.runs()
        assert (run["via"], run["entry_label"]) == ("TRIGGER", "Was given the tag Vip")
        await stage.untag(contact, "vip")
        await stage.tag(contact, "vip")
        await stage.settle()
        assert len(await stage.runs()) == 2

    async def test_each_kind_of_trigger_hears_its_fact(self, stage: Stage) -> None:
        list_id = await lists.create("News", by=stage.caller)
        await fields.create({"name": "tier", "label": "Tier", "type": "TEXT"}, by=stage.caller)
        heard = {
            kind: await stage.draw(list(END), trigger, name=kind)
            for kind, trigger in {
                "list": on("listSubscribed", listId=f"list_{list_id}"),
                "any list": on("listSubscribed"),
                "removed": on("tagRemoved", tag="old"),
                "created": on("contactCreated"),
                "field": on("fieldChanged", name="tier"),
                "to gold": on("fieldChanged", name="tier", to="GOLD"),
                "from gold": on("fieldChanged", **{"name": "tier", "from": "gold"}),
                "built in": on("fieldChanged", name="jobTitle"),
                "import": on("contactCreated", origin="IMPORT"),
            }.items()
        }
        contact = await stage.contact(tags=["old"])
        await memberships.join(ids([contact]), list_id, by=stage.caller)
        await stage.untag(contact, "old")
        for tier in ("silver", "gold", "bronze"):
            values = {"field_values": [{"name": "tier", "value": tier}], "job_title": "Boss"}
            await contacts.update(contact, values, by=stage.caller)
        await stage.settle()
        entries = {kind: len(await stage.runs(automation_id)) for kind, automation_id in heard.items()}
        assert entries == {
            "list": 1,
            "any list": 1,
            "removed": 1,
            "created": 1,
            "field": 3,
            "to gold": 1,
            "from gold": 1,
            "built in": 1,
            "import": 0,
        }

    async def test_a_filter_is_read_after_the_change(self, stage: Stage) -> None:
        await stage.draw(list(END), on("tagAdded", tag="go", where=tagged("vip")))
        yes, no = await stage.contact(), await stage.contact()
        await stage.tag(yes, "go", "vip")
        await stage.tag(no, "go")
        await stage.settle()
        assert [run["contact_id"] for run in await stage.runs()] == [yes]

    async def test_what_happened_before_the_activation_does_not_count(self, stage: Stage) -> None:
        contact = await stage.contact()
        await stage.tag(contact, "go")
        stage.later(seconds=1)
        automation_id = await stage.draw(list(END), on("tagAdded", tag="go"))
        await stage.settle()
        assert not await stage.runs()
        await publish.deactivate(automation_id, by=stage.caller)
        await stage.untag(contact, "go")
        await stage.tag(contact, "go")
        stage.later(seconds=1)
        await publish.activate(automation_id, by=stage.caller)
        await stage.settle()
        assert not await stage.runs()

    async def test_one_fact_makes_one_run_though_two_triggers_match(self, stage: Stage) -> None:
        await stage.draw(list(END), on("tagAdded", tag="go"), on("tagAdded"))
        await stage.tag(await stage.contact(), "go", "other")
        await stage.settle()
        assert len(await stage.runs()) == 2, "two facts, though"

    async def test_once_is_once_also_after_an_edit_and_binds_this_trigger_only(self, stage: Stage) -> None:
        automation_id = await stage.draw(list(END), on("tagAdded", tag="go", runs="ONCE"), on("tagRemoved", tag="go"))
        contact = await stage.contact()
        for _ in range(2):
            await stage.tag(contact, "go")
            await stage.untag(contact, "go")
        await stage.settle()
        assert [run["entry_label"][:3] for run in await stage.runs()] == ["Was", "Los", "Los"]
        edited = {
            "triggers": [on("tagRemoved", tag="never"), on("tagAdded", tag="Go", runs="ONCE", where=tagged("go"))]
        }
        await publish.update(automation_id, edited, by=stage.caller)
        await stage.tag(contact, "go")
        await stage.settle()
        assert len(await stage.runs()) == 3
        await stage.enter(automation_id, contact)

    async def test_a_once_that_is_used_up_leaves_the_fact_to_another_trigger(self, stage: Stage) -> None:
        await stage.draw(list(END), on("tagAdded", tag="go", runs="ONCE"), on("tagAdded"))
        contact = await stage.contact()
        for _ in range(2):
            await stage.tag(contact, "go")
            await stage.untag(contact, "go")
        await stage.settle()
        runs = await stage.runs()
        assert len(runs) == 2
        assert runs[0]["trigger_id"] != runs[1]["trigger_id"]

    async def test_ten_entries_by_a_trigger_in_a_window_of_a_day(self, stage: Stage) -> None:
        await stage.draw(list(END), on("tagAdded", tag="go"))
        contact = await stage.contact()

        async def again(times: int) -> int:
            before = len(await stage.runs())
            for _ in range(times):
                await stage.tag(contact, "go")
                await stage.untag(contact, "go")
            await stage.settle()
            return len(await stage.runs()) - before

        assert await again(1) == 1
        stage.later(hours=23)
        assert await again(11) == 9
        stage.later(hours=1)
        assert await again(12) == 10, "a new window has begun"
        stage.later(hours=23, minutes=59)
        assert await again(1) == 0
        stage.later(minutes=1)
        assert await again(1) == 1

    async def test_an_entry_policy_overrides_triggers(self, stage: Stage) -> None:
        await stage.draw(list(END), on("tagAdded"), entry_policy="ONCE")
        await stage.tag(await stage.contact(), "a", "b", "c")
        await stage.settle()
        assert len(await stage.runs()) == 1

    async def test_a_condition_that_breaks_keeps_nobody_else_out(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from segments import rule

        await stage.draw(list(END), on("tagAdded", tag="go", where=tagged("go")))
        plain = await stage.draw(list(END), on("tagAdded", tag="go"))
        contact = await stage.contact()
        await stage.tag(contact, "go")
        monkeypatch.setattr(rule, "matching", lambda *_: Sql("SELECT 1 / 0 AS id"))
        await stage.settle()
        assert [run["automation_id"] for run in await stage.runs()] == [plain]
        assert await db.value(Sql("SELECT count(*) FROM pending_event")) == 0

    async def test_dispatchers_at_the_same_time_enter_everybody_once(self, stage: Stage) -> None:
        await stage.draw(list(END), on("tagAdded", tag="go"))
        people = await stage.crowd(3_000)
        from services import tags

        await tags.give(ids(people), ["go"], by=stage.caller)

        async def work() -> None:
            while await dispatch.pass_(stage.now):
                pass

        await asyncio.gather(*(asyncio.create_task(work()) for _ in range(4)))
        assert len(await stage.runs()) == 3_000


class TestEndByHand:
    """Domain 2.10 to the letter."""

    async def test_everything_of_the_pair_ends_at_once(self, stage: Stage) -> None:
        automation_id = await stage.draw(line(step("t", "addTag", tag="x"), *WAIT, step("n", "addTag", tag="never")))
        contact, other = await stage.contact(), await stage.contact()
        runs = [*await stage.enter(automation_id, contact), *await stage.enter(automation_id, contact)]
        (left_alone,) = await stage.enter(automation_id, other)
        await stage.settle()
        stage.later(hours=1)
        assert await entry.end(ids([contact]), automation_id, by=stage.caller) == runs
        for run_id in runs:
            run = await stage.run(run_id)
            assert (run["end_reason"], run["ended_at"], run["due_at"]) == ("MANUAL", stage.now, None)
            assert await stage.walked(run_id) == [("t", "COMPLETED"), ("w", "SKIPPED ENDED_MANUALLY")]
            assert (await stage.path(run_id))[1]["finished_at"] == stage.now
        stage.later(days=2)
        await stage.settle()
        assert await stage.tags_of(contact) == {"x"}, "what was done stays, and no later step ever runs"
        assert (await stage.run(left_alone))["end_reason"] == "COMPLETED"
        await stage.require_counts()

    async def test_ending_again_changes_nothing(self, stage: Stage) -> None:
        automation_id = await stage.draw(list(WAIT))
        contact = await stage.contact()
        run, *_ = await stage.enter(automation_id, contact)
        assert await entry.end_run(run, by=stage.caller)
        ended_at = stage.now
        stage.later(hours=1)
        assert await entry.end(ids([contact]), automation_id, by=stage.caller) == []
        assert not await entry.end_run(run, by=stage.caller)
        assert (await stage.run(run))["ended_at"] == ended_at

    async def test_it_works_while_the_automation_is_inactive(self, stage: Stage) -> None:
        automation_id = await stage.draw(list(WAIT))
        contact = await stage.contact()
        run, *_ = await stage.enter(automation_id, contact)
        await stage.settle()
        await publish.deactivate(automation_id, by=stage.caller)
        assert await entry.end(ids([contact]), automation_id, by=stage.caller) == [run]

    async def test_an_unknown_run_is_refused(self, stage: Stage) -> None:
        with pytest.raises(Refused) as refusal:
            await entry.end_run(2**40, by=stage.caller)
        assert codes(refusal) == [("NOT_FOUND", ("runId",))]

    async def test_an_end_during_a_pass_meets_what_the_pass_made(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        automation_id = await stage.draw(line(step("t", "addTag", tag="x"), *WAIT))
        contact = await stage.contact()
        run, *_ = await stage.enter(automation_id, contact)
        write = engine.Journal.write
        moved, go_on = asyncio.Event(), asyncio.Event()

        async def slow_write(journal: engine.Journal, by: object) -> None:
            moved.set()
            await go_on.wait()
            await write(journal, by)

        monkeypatch.setattr(engine.Journal, "write", slow_write)
        moving = asyncio.create_task(engine.pass_(stage.now))
        await moved.wait()
        ending = asyncio.create_task(entry.end(ids([contact]), automation_id, by=stage.caller))
        await asyncio.sleep(0.2)
        assert not ending.done(), "it waits for the pass that holds the run"
        go_on.set()
        await moving
        assert await ending == [run]
        assert await stage.walked(run) == [("t", "COMPLETED"), ("w", "SKIPPED ENDED_MANUALLY")]
        await stage.require_counts()

    async def test_who_unsubscribes_leaves_where_that_is_wished(self, stage: Stage) -> None:
        list_id = await lists.create("News", by=stage.caller)
        leaving = await stage.draw(list(WAIT), exit_on_unsubscribe=True)
        staying = await stage.draw(list(WAIT))
        contact = await stage.contact(memberships=[{"list_id": list_id, "status": "ACTIVE"}])
        gone, *_ = await stage.enter(leaving, contact)
        stays, *_ = await stage.enter(staying, contact)
        await stage.settle()
        stage.later(minutes=1)
        await memberships.leave(ids([contact]), list_id, by=stage.caller)
        await stage.settle()
        assert (await stage.run(gone))["end_reason"] == "UNSUBSCRIBED"
        assert await stage.walked(gone) == [("w", "SKIPPED UNSUBSCRIBED")]
        assert (await stage.run(stays))["end_reason"] is None
        await stage.require_counts()
