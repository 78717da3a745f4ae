"""A step that another release stored and this one cannot read: who comes there rests, everything else goes on."""

from __future__ import annotations

from kit import db
from kit.sql import Sql
from tests.workflows.stage import Stage, line, on, step, tagged
from workflows import broken, by_hand, doctor, graph, publish

UNREADABLE = ("fax", "IN_PROGRESS STEP_UNREADABLE")


async def store(automation_id: int, key: str, do: str, kind: str) -> None:
    """As if the release that stored all versions had known another kind of step, which this process reads only now."""
    await db.execute(
        Sql(
            """
            UPDATE automation_version av
            SET graph = jsonb_set(
                av.graph,
                ARRAY['steps'],
                (
                    SELECT jsonb_agg(CASE
                        WHEN s.body ->> 'id' = {key}::text THEN s.body || jsonb_build_object('do', {do}::jsonb)
                        ELSE s.body
                    END ORDER BY s.place)
                    FROM jsonb_array_elements(av.graph -> 'steps') WITH ORDINALITY AS s (body, place)
                )
            )
            WHERE av.automation_id = {id}::bigint
            """,
            id=automation_id,
            key=key,
            do=do,
        )
    )
    await db.execute(
        Sql(
            """
            UPDATE automation_step s
            SET kind = {kind}::text
            WHERE s.automation_id = {id}::bigint
              AND s.key = {key}::text
            """,
            id=automation_id,
            key=key,
            kind=kind,
        )
    )
    graph._versions.clear()


async def test_who_comes_to_a_step_that_cannot_be_read_rests_there_and_all_others_go_on(stage: Stage) -> None:
    steps = [
        step("ask", "ifElse", None, {"YES": "fax", "NO": "tag"}, where=tagged("vip")),
        step("fax", "addNote", "after", text="N"),
        step("tag", "addTag", tag="other way"),
        step("after", "addTag", tag="after"),
    ]
    automation_id = await stage.draw(steps, on("tagAdded", tag="in"))
    second = await stage.draw([step("t", "addTag", tag="second")], on("tagAdded", tag="in"))
    rested = await stage.enter(automation_id, await stage.contact(tags=["vip"]))
    await store(automation_id, "fax", '{"sendFax": {"to": "+33"}}', "SEND_FAX")
    vip, other = await stage.contact(tags=["vip"]), await stage.contact()
    for contact in (vip, other):
        await stage.tag(contact, "in")
    await stage.settle()

    runs = await stage.runs(automation_id)
    assert [await stage.walked(run["id"]) for run in runs] == [
        [("ask", "COMPLETED"), UNREADABLE],
        [("ask", "COMPLETED"), UNREADABLE],
        [("ask", "COMPLETED"), ("tag", "COMPLETED")],
    ]
    assert {run["end_reason"] for run in await stage.runs(second)} == {"COMPLETED"}
    assert (await stage.path(rested[0]))[1]["kind"] == "SEND_FAX"
    assert await broken.broken(None, stage.now) == [automation_id]
    found = {each.check.name: each.samples for each in await doctor.examine(stage.now) if each.violations}
    assert found == {"step_unreadable": (f"automation_{automation_id} fax",)}

    # A person lets one go on; the other waits for the step to be drawn anew, however often it is looked at.
    await by_hand.skip_wait(rested[0], by=stage.caller)
    stage.later(hours=5)
    await stage.settle()
    assert (await stage.walked(rested[0]))[1:] == [("fax", "SKIPPED MANUAL_SKIP"), ("after", "COMPLETED")]
    assert (await stage.walked(runs[1]["id"]))[1:] == [UNREADABLE]
    await stage.require_counts()
    await publish.update(automation_id, {"steps": steps}, by=stage.caller)
    await stage.settle()
    walked = await stage.walked(runs[1]["id"])
    assert walked[1:] == [("fax", "SKIPPED STEP_DELETED"), ("fax", "COMPLETED"), ("after", "COMPLETED")]
    await stage.require_counts()
    assert [each for each in await doctor.examine(stage.now) if each.violations] == []


async def test_a_release_that_can_read_it_again_goes_on_with_it_within_the_hour(stage: Stage) -> None:
    automation_id = await stage.draw(line(step("fax", "addNote", text="N"), step("t", "addTag", tag="x")))
    (run,) = await stage.enter(automation_id, await stage.contact())
    await store(automation_id, "fax", '{"addNote": {"note": "N"}}', "ADD_NOTE")
    await stage.settle()
    assert await stage.walked(run) == [UNREADABLE]
    await store(automation_id, "fax", '{"addNote": {"text": "N"}}', "ADD_NOTE")
    stage.later(hours=1)
    await stage.settle()
    assert await stage.walked(run) == [("fax", "COMPLETED"), ("t", "COMPLETED")]
    await stage.require_counts()


async def test_out_of_a_step_that_cannot_be_read_any_more_leads_the_way_it_was_drawn(stage: Stage) -> None:
    """The version that a run came by has such a step behind the one that was taken out, and the live one has it not."""
    wait = step("w", "waitFor", duration={"days": 1})
    last = step("last", "addTag", tag="last")
    automation_id = await stage.draw(line(wait, step("fax", "addNote", text="N"), last))
    (run,) = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    await publish.update(automation_id, {"steps": [last]}, by=stage.caller)
    await store(automation_id, "fax", '{"sendFax": {}}', "SEND_FAX")
    await stage.settle()
    assert await stage.walked(run) == [("w", "SKIPPED STEP_DELETED"), ("last", "COMPLETED")]


async def test_a_run_that_stands_nowhere_ends_and_holds_up_nobody(stage: Stage) -> None:
    automation_id = await stage.draw(line(step("w", "waitFor", duration={"days": 1}), step("t", "addTag", tag="x")))
    lost, other = await stage.enter(automation_id, await stage.contact(), await stage.contact())
    await stage.settle()
    await db.execute(Sql("UPDATE run r SET step_key = 'nowhere' WHERE r.id = {id}::bigint", id=lost))
    stage.later(days=1)
    await stage.settle()
    assert [(await stage.run(run))["end_reason"] for run in (lost, other)] == ["ERROR", "COMPLETED"]
    await stage.require_counts()
