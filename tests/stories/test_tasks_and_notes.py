"""What is to be done about a contact, what is worth remembering, and what both of them start."""

from __future__ import annotations

import asyncio

import pytest

from tests.stories.team import on, step

THANK = step("thank", "addTag", tag="thanked")
TASK = """
    id title description type status dueAt durationMinutes completedAt alertAt alertMinutesBefore alertsAt alertedAt
    contact { id } relation { kind id } assignee { name } creator { name }
    onSaveAutomation { id } onCompleteAutomation { id }
"""
RUN = "run { id contact { id } entry { via label } }"
ACTIVITY = """query ($id: ID!, $kinds: [ActivityKind!]) {
    contact(id: $id) { activity(kinds: $kinds) { nodes { kind data actor } } }
}"""


def codes(answer: dict) -> list[tuple[str, str]]:
    return [(error["code"], ".".join(error["path"])) for error in answer["errors"]]


@pytest.fixture
def task(gql):
    """`await task(contactId=…, title=…)`: a new task; `await task.change(id, …)` changes it."""

    async def create(**given) -> dict:
        answer = await gql.do(
            "createTask", f"task {{ {TASK} }} run {{ id contact {{ id }} }}", **{"title": "Call"} | given
        )
        return answer["task"] | {"run": answer["run"]}

    async def change(id: str, **given) -> dict:
        selection = (
            f"task {{ {TASK} }} run {{ id contact {{ id }} entry {{ via label }} }} warnings {{ code message path }}"
        )
        return await gql.do("updateTask", selection, id=id, **given)

    create.change = change
    return create


@pytest.fixture
def activity(gql):
    """The facts about a contact, the oldest first, without its being made."""

    async def facts(contact: str, *kinds: str) -> list[dict]:
        found = await gql(ACTIVITY, id=contact, kinds=list(kinds) or None)
        return [fact for fact in found["contact"]["activity"]["nodes"][::-1] if fact["kind"] != "CONTACT_CREATED"]

    return facts


# --------------------------------------------------------------------------------------------------------------- tasks


async def test_ae14_every_attribute_of_a_task_is_kept(gql, team, task):
    ann = await team.contact()
    journey = await team.automation(THANK)
    user = (await gql.do("createUser", "user { id }", email="cal@x.test", name="Cal", role="MEMBER"))["user"]["id"]
    due = "2030-05-01T10:00:00+00:00"
    made = await task(
        contactId=ann,
        title="Call back",
        description="About the offer\nof May",
        type="CALL",
        dueAt=due,
        durationMinutes=30,
        assigneeId=user,
        alertMinutesBefore=15,
        onCompleteAutomationId=journey,
    )
    assert made | {"id": 0} == {
        "id": 0,
        "title": "Call back",
        "description": "About the offer\nof May",
        "type": "CALL",
        "status": "INCOMPLETE",
        "dueAt": due,
        "durationMinutes": 30,
        "completedAt": None,
        "alertAt": None,
        "alertMinutesBefore": 15,
        "alertsAt": "2030-05-01T09:45:00+00:00",
        "alertedAt": None,
        "contact": {"id": ann},
        "relation": {"kind": "CONTACT", "id": ann},
        "assignee": {"name": "Cal"},
        "creator": {"name": "Olga Owner"},
        "onSaveAutomation": None,
        "onCompleteAutomation": {"id": journey},
        "run": None,
    }


async def test_q34_a_task_is_about_a_contact_by_its_relation(gql, team, task):
    ann, bob = await team.contact(), await team.contact()
    made = await task(relation={"kind": "CONTACT", "id": ann})
    assert made["contact"] == {"id": ann}
    changed = await task.change(made["id"], relation={"id": bob})
    assert changed["task"]["relation"] == {"kind": "CONTACT", "id": bob}
    assert codes(await gql.refused("createTask", title="Call")) == [("REQUIRED", "input.contactId")]
    two = await gql.refused("createTask", title="Call", contactId=ann, relation={"id": bob})
    assert codes(two) == [("INVALID_VALUE", "input.relation")]


async def test_ae15_saving_lets_the_contact_in_at_once(team, task, activity, work):
    ann, journey = await team.contact(), await team.automation(THANK)
    made = await task(contactId=ann, title="Call", onSaveAutomationId=journey)
    assert made["onSaveAutomation"] == {"id": journey}
    run = await team.run(made["run"]["id"])
    assert (run["entry"]["via"], run["entry"]["label"]) == ("TASK", "Task saved: Call")
    assert [fact["kind"] for fact in await activity(ann)] == ["TASK_CREATED", "AUTOMATION_ENTERED"]
    await work()
    assert await team.tags(ann) == {"thanked"}


async def test_ae15_completing_lets_the_contact_in_and_not_before(team, task, work):
    ann = await team.contact()
    on_save, on_done = await team.automation(THANK), await team.automation(THANK)
    made = await task(contactId=ann, onSaveAutomationId=on_save, onCompleteAutomationId=on_done)
    await work()
    assert await team.runs(ann, on_done) == []
    done = await task.change(made["id"], status="COMPLETE")
    assert done["task"]["completedAt"]
    assert done["warnings"] == []
    assert done["run"]["entry"] == {"via": "TASK", "label": "Task completed: Call"}
    assert (len(await team.runs(ann, on_save)), len(await team.runs(ann, on_done))) == (1, 1)


async def test_q19_an_automation_of_completion_starts_once_a_task(team, task):
    ann, journey = await team.contact(), await team.automation(THANK)
    made = await task(contactId=ann, onCompleteAutomationId=journey)
    for _ in range(2):
        await task.change(made["id"], status="COMPLETE")
        await task.change(made["id"], status="COMPLETE", title="Called")
        await task.change(made["id"], status="INCOMPLETE")
    assert len(await team.runs(ann, journey)) == 1


async def test_q20_who_has_the_task_at_its_completion_enters(team, task):
    ann, bob, journey = await team.contact(), await team.contact(), await team.automation(THANK)
    made = await task(contactId=ann, onCompleteAutomationId=journey)
    done = await task.change(made["id"], contactId=bob, status="COMPLETE")
    assert done["run"]["contact"] == {"id": bob}
    assert await team.runs(ann) == []


async def test_q21_saving_is_refused_as_a_whole_where_the_automation_is_not_active(gql, team, rows):
    ann, journey = await team.contact(), await team.automation(THANK, active=False)
    before = await rows()
    given = {"contactId": ann, "title": "Call", "onSaveAutomationId": journey}
    answer = await gql.refused("createTask", "task { id } run { id }", **given)
    assert codes(answer) == [("AUTOMATION_NOT_ACTIVE", "input.onSaveAutomationId")]
    assert (answer["task"], answer["run"]) == (None, None)
    assert await rows() == before | {"audit_entry": before["audit_entry"] + 1}


async def test_q21_a_task_is_done_with_a_warning_where_the_automation_is_not_active(team, task, activity):
    ann, journey = await team.contact(), await team.automation(THANK, active=False)
    made = await task(contactId=ann, onCompleteAutomationId=journey)
    done = await task.change(made["id"], status="COMPLETE")
    assert (done["task"]["status"], done["run"]) == ("COMPLETE", None)
    [warning] = done["warnings"]
    assert (warning["code"], warning["path"]) == ("AUTOMATION_NOT_ACTIVE", ["input", "onCompleteAutomationId"])
    assert [fact["kind"] for fact in await activity(ann)] == ["TASK_CREATED", "TASK_COMPLETED"]

    await team.activate(journey)  # nothing began, so doing it again still counts
    await task.change(made["id"], status="INCOMPLETE")
    assert (await task.change(made["id"], status="COMPLETE"))["run"]


async def test_an_entry_policy_is_a_refusal_on_save_and_a_warning_on_completion(gql, team, task):
    ann, journey = await team.contact(), await team.automation(THANK, entryPolicy="ONCE")
    await team.enter(ann, journey)
    refused = await gql.refused("createTask", contactId=ann, title="Call", onSaveAutomationId=journey)
    assert codes(refused) == [("ENTRY_NOT_ALLOWED", "input.onSaveAutomationId")]
    made = await task(contactId=ann, onCompleteAutomationId=journey)
    done = await task.change(made["id"], status="COMPLETE")
    assert (done["run"], [warning["code"] for warning in done["warnings"]]) == (None, ["ENTRY_NOT_ALLOWED"])


async def test_q22_editing_a_task_is_not_saving_it_again(gql, team, task):
    ann, journey = await team.contact(), await team.automation(THANK)
    made = await task(contactId=ann, onSaveAutomationId=journey)
    await task.change(made["id"], title="Call again", dueAt="2030-01-01T00:00:00Z")
    assert len(await team.runs(ann, journey)) == 1
    found = await gql('{ __type(name: "UpdateTaskInput") { inputFields { name } } }')
    assert "onSaveAutomationId" not in {field["name"] for field in found["__type"]["inputFields"]}


async def test_ae16_every_attribute_can_be_changed(gql, team, task, activity):
    ann, journey = await team.contact(), await team.automation(THANK)
    user = (await gql.do("createUser", "user { id }", email="cal@x.test", name="Cal", role="MEMBER"))["user"]["id"]
    made = await task(contactId=ann)
    changes = {
        "title": "Visit",
        "description": "At home",
        "type": "VISIT",
        "dueAt": "2030-05-01T10:00:00+00:00",
        "durationMinutes": 60,
        "alertAt": "2030-05-01T08:00:00+00:00",
    }
    references = {"assigneeId": user, "onCompleteAutomationId": journey}
    changed = (await task.change(made["id"], **changes, **references))["task"]
    assert {name: changed[name] for name in changes} == changes
    assert (changed["assignee"], changed["onCompleteAutomation"]) == ({"name": "Cal"}, {"id": journey})
    [fact] = await activity(ann, "TASK_UPDATED")
    assert set(fact["data"]["changed"]) == set(changes) | {"assignee", "onCompleteAutomation"}

    await task.change(made["id"], **changes)  # nothing new
    assert len(await activity(ann, "TASK_UPDATED")) == 1
    cleared = (await task.change(made["id"], description=None, assigneeId=None, dueAt=None, alertAt=None))["task"]
    assert [cleared[name] for name in ("description", "assignee", "dueAt", "alertAt", "alertsAt")] == [None] * 5
    done = (await task.change(made["id"], status="COMPLETE"))["task"]
    again = (await task.change(made["id"], status="INCOMPLETE"))["task"]
    assert (done["status"], bool(done["completedAt"])) == ("COMPLETE", True)
    assert (again["status"], again["completedAt"]) == ("INCOMPLETE", None)
    assert [fact["kind"] for fact in await activity(ann)][-3:] == [
        "TASK_COMPLETED",
        "AUTOMATION_ENTERED",
        "TASK_UPDATED",
    ]


async def test_ae16_a_moved_task_leaves_the_list_of_the_first_contact(gql, team, task, activity):
    ann, bob = await team.contact(), await team.contact()
    made = await task(contactId=ann)
    await task.change(made["id"], contactId=bob)
    query = "query ($id: ID!) { contact(id: $id) { tasks { nodes { id } } } }"
    assert (await gql(query, id=ann))["contact"]["tasks"]["nodes"] == []
    assert (await gql(query, id=bob))["contact"]["tasks"]["nodes"] == [{"id": made["id"]}]
    [away], [come] = await activity(ann, "TASK_UPDATED"), await activity(bob, "TASK_UPDATED")
    assert (away["data"]["movedTo"], come["data"]["movedFrom"]) == (bob, ann)


async def test_a_task_is_deleted_after_confirmation(gql, team, task, activity):
    ann = await team.contact()
    made = await task(contactId=ann)
    unsure = await gql.refused("deleteTask", id=made["id"], confirm=False)
    assert codes(unsure) == [("CONFIRMATION_REQUIRED", "input.confirm")]
    gone = await gql.do("deleteTask", "task { title contact { id } }", id=made["id"], confirm=True)
    assert gone["task"] == {"title": "Call", "contact": {"id": ann}}
    assert (await gql("query ($id: ID!) { node(id: $id) { id } }", id=made["id"]))["node"] is None
    assert [fact["kind"] for fact in await activity(ann)] == ["TASK_CREATED", "TASK_DELETED"]
    again = await gql.refused("deleteTask", id=made["id"], confirm=True)
    assert codes(again) == [("NOT_FOUND", "input.id")]


async def test_every_fault_of_a_task_is_told_at_once(gql, team):
    ann = await team.contact()
    given = {
        "contactId": ann,
        "title": " ",
        "durationMinutes": -1,
        "assigneeId": "user_999999999",
        "alertMinutesBefore": 10,
        "onSaveAutomationId": "zzz",
        "onCompleteAutomationId": "automation_999999999",
    }
    assert set(codes(await gql.refused("createTask", **given))) == {
        ("REQUIRED", "input.title"),
        ("OUT_OF_RANGE", "input.durationMinutes"),
        ("NOT_FOUND", "input.assigneeId"),
        ("REQUIRED", "input.dueAt"),
        ("NOT_FOUND", "input.onSaveAutomationId"),
        ("NOT_FOUND", "input.onCompleteAutomationId"),
    }
    both = {"alertAt": "2030-01-01T00:00:00Z", "alertMinutesBefore": 1, "dueAt": "2030-01-01T00:00:00Z"}
    refused = await gql.refused("createTask", contactId=ann, title="Call", **both)
    assert codes(refused) == [("INVALID_VALUE", "input.alertMinutesBefore")]


async def test_q23_a_relative_reminder_follows_the_due_date(gql, team, task):
    made = await task(contactId=await team.contact(), dueAt="2030-05-01T10:00:00Z", alertMinutesBefore=60)
    moved = (await task.change(made["id"], dueAt="2030-06-01T10:00:00Z"))["task"]
    assert moved["alertsAt"] == "2030-06-01T09:00:00+00:00"
    fixed = (await task.change(made["id"], alertAt="2030-05-30T00:00:00Z"))["task"]
    assert (fixed["alertsAt"], fixed["alertMinutesBefore"]) == ("2030-05-30T00:00:00+00:00", None)
    stays = (await task.change(made["id"], dueAt="2030-07-01T10:00:00Z"))["task"]
    assert stays["alertsAt"] == "2030-05-30T00:00:00+00:00"
    await task.change(made["id"], alertMinutesBefore=5)
    alone = await gql.refused("updateTask", id=made["id"], dueAt=None)
    assert codes(alone) == [("REQUIRED", "input.dueAt")]


@pytest.mark.parametrize(("kind", "done"), [("taskCreated", False), ("taskCompleted", True)])
async def test_2_3_a_task_of_a_type_lets_the_contact_in(team, task, work, kind, done):
    journey = await team.automation(THANK, triggers=[on(kind, type="call")])
    anything = await team.automation(THANK, triggers=[on(kind)])
    ann, bob = await team.contact(), await team.contact()
    for contact, type in ((ann, "CALL"), (bob, "TODO")):
        made = await task(contactId=contact, type=type)
        await work()
        assert len(await team.runs(contact)) == (0 if done else (2 if contact == ann else 1))
        if done:
            await task.change(made["id"], status="COMPLETE")
            await work()
    assert (len(await team.runs(ann, journey)), len(await team.runs(bob, journey))) == (1, 0)
    assert (len(await team.runs(ann, anything)), len(await team.runs(bob, anything))) == (1, 1)
    [run] = await team.runs(ann, journey)
    assert run["entry"]["label"] == ("Task completed: Call" if done else "Task created: Call")


# --------------------------------------------------------------------------------------------------------------- notes


async def test_ae17_a_note_lets_the_contact_in_at_once(gql, team, activity):
    ann, journey = await team.contact(), await team.automation(THANK)
    given = {"contactId": ann, "text": "Likes tea", "automationId": journey}
    made = await gql.do("createNote", "note { text author { name } } run { id contact { id } entry { via } }", **given)
    assert made["note"] == {"text": "Likes tea", "author": {"name": "Olga Owner"}}
    assert (made["run"]["contact"], made["run"]["entry"]) == ({"id": ann}, {"via": "NOTE"})
    assert [fact["kind"] for fact in await activity(ann)] == ["NOTE_ADDED", "AUTOMATION_ENTERED"]


async def test_ae17_no_note_where_the_automation_is_not_active(gql, team, rows):
    ann, journey = await team.contact(), await team.automation(THANK, active=False)
    before = await rows()
    answer = await gql.refused("createNote", "note { id }", contactId=ann, text=" ", automationId=journey)
    assert codes(answer) == [("REQUIRED", "input.text"), ("AUTOMATION_NOT_ACTIVE", "input.automationId")]
    answer = await gql.refused("createNote", "note { id }", contactId=ann, text="Tea", automationId=journey)
    assert codes(answer) == [("AUTOMATION_NOT_ACTIVE", "input.automationId")]
    assert await rows() == before | {"audit_entry": before["audit_entry"] + 2}


async def test_sq19_a_note_is_edited_and_deleted(gql, team, activity):
    ann = await team.contact()
    note = (await gql.do("createNote", "note { id createdAt updatedAt }", contactId=ann, text="Tea"))["note"]
    changed = await gql.do("updateNote", "note { text createdAt updatedAt }", id=note["id"], text="Coffee ")
    assert (changed["note"]["text"], changed["note"]["createdAt"]) == ("Coffee", note["createdAt"])
    assert changed["note"]["updatedAt"] > note["updatedAt"]
    await gql.do("updateNote", "note { text }", id=note["id"], text="Coffee")  # nothing new
    assert codes(await gql.refused("updateNote", id=note["id"], text=" ")) == [("REQUIRED", "input.text")]

    unsure = await gql.refused("deleteNote", id=note["id"], confirm=False)
    assert codes(unsure) == [("CONFIRMATION_REQUIRED", "input.confirm")]
    gone = await gql.do("deleteNote", "note { text }", id=note["id"], confirm=True)
    assert gone["note"] == {"text": "Coffee"}
    facts = await activity(ann)
    assert [fact["kind"] for fact in facts] == ["NOTE_ADDED", "NOTE_UPDATED", "NOTE_DELETED"]
    assert "Tea" not in str(facts)  # what a deleted note said is nowhere
    assert "Coffee" not in str(facts)
    for mutation, given in (("updateNote", {"text": "x"}), ("deleteNote", {"confirm": True})):
        assert codes(await gql.refused(mutation, id=note["id"], **given)) == [("NOT_FOUND", "input.id")]


async def test_an_id_that_no_automation_can_have_is_unknown(gql, team):
    given = {"contactId": await team.contact(), "automationId": f"automation_{2**63 - 1}"}
    unknown = [("NOT_FOUND", "input.automationId")]
    assert codes(await gql.refused("createNote", text="Tea", **given)) == unknown
    assert codes(await gql.refused("enterAutomation", **given)) == unknown


async def test_q19_two_who_complete_a_task_at_once_start_it_once(team, task):
    ann, journey = await team.contact(), await team.automation(THANK)
    made = await task(contactId=ann, onCompleteAutomationId=journey)
    both = await asyncio.gather(*(task.change(made["id"], status="COMPLETE") for _ in range(2)))
    assert sorted(bool(done["run"]) for done in both) == [False, True]
    assert len(await team.runs(ann, journey)) == 1
