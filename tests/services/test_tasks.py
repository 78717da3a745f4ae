"""Tasks and notes are kept on the contact, and completing is a fact once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kit import db as database
from kit.errors import Invalid, NotFound
from kit.sql import Sql, ids
from services import notes, tasks, users


@pytest.fixture
async def colleague(caller) -> int:
    return await users.create({"email": "col@x.test", "name": "Col", "role": "MEMBER"}, by=caller)


async def test_ae14_every_attribute_of_a_task_round_trips(caller, people, stored, facts, colleague):
    [contact] = await people(1)
    due = caller.now + timedelta(days=2)
    values = {
        "contact_id": contact,
        "title": " Call back ",
        "description": "about\nthe offer",
        "type": "CALL",
        "due_at": due,
        "duration_minutes": 30,
        "assignee_id": colleague,
    }
    made = await tasks.create(values, by=replace(caller, user_id=colleague))
    [row] = await stored("task")
    assert row["id"] == made
    assert {key: row[key] for key in values} == {**values, "title": "Call back"}
    assert (row["status"], row["creator_id"], row["completed_at"]) == ("INCOMPLETE", colleague, None)
    [fact] = await facts()
    assert (fact["kind"], fact["subject"]) == ("TASK_CREATED", made)
    assert fact["data"] == {"title": "Call back", "type": "CALL"}


async def test_ae16_completing_is_a_fact_each_time_it_really_happens(caller, people, stored, facts):
    [contact] = await people(1)
    made = await tasks.create({"contact_id": contact, "title": "Call"}, by=caller)
    later = replace(caller, now=caller.now + timedelta(hours=1))
    await tasks.update(made, {"status": "COMPLETE"}, by=caller)
    await tasks.update(made, {"status": "COMPLETE", "title": "Called"}, by=later)
    [row] = await stored("task")
    assert (row["status"], row["title"], row["completed_at"]) == ("COMPLETE", "Called", caller.now)
    assert len(await facts("TASK_COMPLETED")) == 1
    await tasks.update(made, {"status": "INCOMPLETE"}, by=later)
    assert (await stored("task"))[0]["completed_at"] is None
    await tasks.update(made, {"status": "COMPLETE"}, by=later)
    assert len(await facts("TASK_COMPLETED")) == 2


async def test_ae16_a_moved_task_belongs_to_the_other_contact(caller, people, stored):
    one, other = await people(2)
    made = await tasks.create({"contact_id": one, "title": "Call", "description": "x"}, by=caller)
    await tasks.update(made, {"contact_id": other, "description": None}, by=caller)
    [row] = await stored("task")
    assert (row["contact_id"], row["description"], row["title"]) == (other, None, "Call")


async def test_every_fault_of_a_task_is_told_at_once(caller, count):
    values = {
        "contact_id": 10**12,
        "title": " ",
        "description": 5,
        "due_at": "soon",
        "duration_minutes": -1,
        "assignee_id": 10**12,
    }
    with pytest.raises(Invalid) as refusal:
        await tasks.create(values, by=caller)
    assert {p.path[0] for p in refusal.value.problems} == {
        "contactId",
        "title",
        "description",
        "dueAt",
        "durationMinutes",
        "assigneeId",
    }
    assert await count("task") == 0


async def test_an_update_cannot_take_title_or_contact_away(caller, people):
    made = await tasks.create({"contact_id": (await people(1))[0], "title": "Call"}, by=caller)
    with pytest.raises(Invalid) as refusal:
        await tasks.update(made, {"title": None, "contact_id": None, "assignee_id": 10**12, "status": "X"}, by=caller)
    assert {p.path[0] for p in refusal.value.problems} == {"title", "contactId", "assigneeId", "status"}
    with pytest.raises(NotFound):
        await tasks.update(10**12, {"title": "x"}, by=caller)


async def test_a_task_keeps_an_assignee_who_has_left(caller, people, stored, colleague):
    made = await tasks.create({"contact_id": (await people(1))[0], "title": "x", "assignee_id": colleague}, by=caller)
    await users.update(colleague, {"active": False}, by=caller)
    await tasks.update(made, {"title": "y"}, by=caller)
    assert (await stored("task"))[0]["assignee_id"] == colleague


async def test_a_set_gets_a_task_each_time_a_contact_is_in_it(caller, people, stored, facts, colleague):
    one, two = await people(2)
    outcome = await tasks.add(ids([one, two, two, 10**12]), {"title": "Call", "assignee_id": colleague}, by=caller)
    assert (outcome.changed, outcome.refused) == ({one, two}, {"NOT_FOUND": {10**12}})
    assert sorted(row["contact_id"] for row in await stored("task")) == [one, two, two]
    assert {row["assignee_id"] for row in await stored("task")} == {colleague}
    assert len(await facts("TASK_CREATED")) == 3


async def test_2_4_an_assignee_who_is_gone_leaves_the_tasks_unassigned(caller, people, stored, colleague):
    await users.update(colleague, {"active": False}, by=caller)
    outcome = await tasks.add(ids(await people(1)), {"title": "Call", "assignee_id": colleague}, by=caller)
    assert len(outcome.changed) == 1
    assert (await stored("task"))[0]["assignee_id"] is None


async def test_ae17_a_note_is_kept_on_the_record(caller, people, stored, facts):
    [contact] = await people(1)
    made = await notes.create(contact, " Likes tea\nand cake ", by=caller)
    [row] = await stored("note")
    assert (row["id"], row["contact_id"], row["text"]) == (made, contact, "Likes tea\nand cake")
    assert [(fact["kind"], fact["subject"]) for fact in await facts()] == [("NOTE_ADDED", made)]


@pytest.mark.parametrize("text", ["", "  ", None, "x" * 20_001, "nul\x00", 5])
async def test_a_note_without_a_storable_text_is_refused(caller, people, count, text):
    with pytest.raises(Invalid) as refusal:
        await notes.add(ids(await people(1)), text, by=caller)
    assert refusal.value.problems[0].path == ("text",)
    assert await count("note") == 0


async def test_a_note_on_nobody_is_refused(caller):
    with pytest.raises(NotFound) as refusal:
        await notes.create(10**12, "x", by=caller)
    assert refusal.value.problems[0].path == ("contactId",)


async def test_runs_leave_a_note_each_that_tells_of_them(caller, people, stored):
    one, two = await people(2)
    runs = await database.column(
        Sql(
            """
            WITH a AS (
                INSERT INTO automation (name, created_at, updated_at) VALUES ('A', {now}, {now}) RETURNING id
            ),
            av AS (
                INSERT INTO automation_version (automation_id, number, graph, created_at)
                SELECT a.id, 1, '[]', {now} FROM a
                RETURNING id, automation_id
            )
            INSERT INTO run (contact_id, automation_id, version_id, entry_number, via, entry_label, started_at)
            SELECT w.contact_id, av.automation_id, av.id, w.entry, 'API', 'By hand', {now}
            FROM av
            CROSS JOIN (VALUES ({one}, 1), ({one}, 2), ({two}, 1)) AS w (contact_id, entry)
            RETURNING id
            """,
            now=Sql("{now}::timestamptz", now=caller.now),
            one=Sql("{id}::bigint", id=one),
            two=Sql("{id}::bigint", id=two),
        )
    )
    outcome = await notes.add(ids([one, one, two]), "Hello", by=caller, run_ids=runs)
    assert outcome.changed == {one, two}
    assert sorted(row["run_id"] for row in await stored("note")) == sorted(runs)
    await tasks.add(ids([one, one]), {"title": "Call"}, by=caller, run_ids=runs)
    assert sorted(row["run_id"] for row in await stored("task")) == sorted(runs[:2])
