"""Whoever has a task is reminded of it once, in the contact's activity, live and by e-mail."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from kit import clock
from services import alerts

ALERTS = "query ($id: ID!) { contact(id: $id) { activity(kinds: [TASK_ALERT]) { nodes { data actor at } } } }"


@pytest.fixture
def remind(db):
    """`await remind()`: the workers look whose time has come; how many there were."""

    async def pass_() -> int:
        return await alerts.send_due(await clock.now())

    return pass_


@pytest.fixture
async def colleague(gql) -> str:
    given = {"email": "cal@parcours.test", "name": "Cal", "role": "MEMBER"}
    return (await gql.do("createUser", "user { id }", **given))["user"]["id"]


@pytest.fixture
def told(gql):
    """What the activity of a contact says of reminders, the oldest first."""

    async def facts(contact: str) -> list[dict]:
        return [fact["data"] for fact in (await gql(ALERTS, id=contact))["contact"]["activity"]["nodes"][::-1]]

    return facts


async def due_in(**duration: float) -> str:
    return (await clock.now() + timedelta(**duration)).isoformat()


async def create(gql, **given) -> str:
    return (await gql.do("createTask", "task { id }", **{"title": "Call back"} | given))["task"]["id"]


async def test_ae14_the_assignee_is_reminded_by_mail(gql, team, time, remind, told, colleague, mailbox):
    ann = await team.contact("ann@x.test", firstName="Ann", lastName="Buyer")
    task = await create(gql, contactId=ann, assigneeId=colleague, dueAt=await due_in(hours=2), alertMinutesBefore=60)
    assert await remind() == 0
    await time.passes(hours=1)
    assert (await remind(), await remind()) == (1, 0)
    [message] = mailbox.messages
    assert (message["To"], message["Subject"]) == ("cal@parcours.test", "Reminder: Call back")
    assert "Contact: Ann Buyer, ann@x.test" in message.get_content()
    assert "(UTC)" in message.get_content()
    [fact] = await told(ann)
    assert (fact["title"], fact["email"]) == ("Call back", "SENT")
    seen = await gql("query ($id: ID!) { node(id: $id) { ... on Task { alertedAt alertsAt } } }", id=task)
    assert seen["node"]["alertedAt"] >= seen["node"]["alertsAt"]


async def test_without_mail_or_assignee_the_reminder_is_in_the_activity(gql, team, time, remind, told, colleague):
    ann, bob = await team.contact(), await team.contact()
    at = await due_in(minutes=5)
    await create(gql, contactId=ann, alertAt=at)
    await create(gql, contactId=bob, alertAt=at, assigneeId=colleague)
    await time.passes(minutes=5)
    assert await remind() == 2
    for contact in (ann, bob):
        [fact] = await told(contact)
        assert fact == {"title": "Call back", "type": "TODO"}


async def test_q23_no_reminder_of_what_is_done(gql, team, time, remind, told):
    ann = await team.contact()
    task = await create(gql, contactId=ann, alertAt=await due_in(minutes=5))
    await gql.do("updateTask", "task { id }", id=task, status="COMPLETE")
    await time.passes(minutes=10)
    assert await remind() == 0
    assert await told(ann) == []


async def test_q23_a_reminder_moves_with_the_due_date(gql, team, time, remind, told):
    ann = await team.contact()
    task = await create(gql, contactId=ann, dueAt=await due_in(hours=2), alertMinutesBefore=60)
    await gql.do("updateTask", "task { id }", id=task, dueAt=await due_in(hours=5))
    await time.passes(hours=2)
    assert await remind() == 0
    await gql.do("updateTask", "task { id }", id=task, dueAt=await due_in(minutes=30))  # earlier than its reminder
    assert await remind() == 1
    await gql.do("updateTask", "task { id }", id=task, dueAt=await due_in(minutes=20))
    assert await remind() == 0  # it was told already
    await gql.do("updateTask", "task { id }", id=task, dueAt=await due_in(hours=3))
    await time.passes(hours=2)
    assert await remind() == 1
    assert len(await told(ann)) == 2


async def test_a_mail_that_fails_is_told_and_not_tried_again(gql, team, time, remind, told, colleague, mailbox):
    ann = await team.contact()
    mailbox.refused.add("cal@parcours.test")
    await create(gql, contactId=ann, assigneeId=colleague, alertAt=await due_in(minutes=1))
    await time.passes(minutes=1)
    assert (await remind(), await remind()) == (1, 0)
    assert [fact["email"] for fact in await told(ann)] == ["FAILED"]
    assert mailbox.messages == []


async def test_many_workers_remind_of_each_task_once(gql, team, time, colleague, mailbox):
    ann = await team.contact()
    at = await due_in(minutes=1)
    for number in range(20):
        await create(gql, contactId=ann, assigneeId=colleague, alertAt=at, title=f"Call {number}")
    await time.passes(minutes=1)
    now = await clock.now()
    counts = await asyncio.gather(*(alerts.send_due(now) for _ in range(4)))
    assert sum(counts) == 20
    assert sorted(message["Subject"] for message in mailbox.messages) == sorted(
        f"Reminder: Call {number}" for number in range(20)
    )


async def test_a_colleague_who_has_left_gets_no_mail(gql, team, time, remind, told, colleague, mailbox):
    ann = await team.contact()
    await create(gql, contactId=ann, assigneeId=colleague, alertAt=await due_in(minutes=1))
    await gql.do("updateUser", "user { id }", id=colleague, active=False)
    await time.passes(minutes=1)
    assert await remind() == 1
    assert mailbox.messages == []
    assert await told(ann) == [{"title": "Call back", "type": "TODO"}]
