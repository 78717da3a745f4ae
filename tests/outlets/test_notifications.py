"""Users are told what concerns them: where they look, live, and by e-mail if they want that."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from kit import clock
from kit import db as database
from kit.sql import Sql, ids
from schema import execution
from schema.context import Context
from services import alerts, letters, notifications, tasks
from services.caller import Role
from tests.conftest import Gql
from web.live import CatchingUp, Hub

MINE = "{ notifications { nodes { id kind text subjectId contact { id } readAt } } }"
UNREAD = "{ notifications(unread: true) { totalCount } }"


@pytest.fixture
async def cal(gql) -> Gql:
    """A colleague at the API."""
    given = {"email": "cal@parcours.test", "name": "Cal", "role": "MEMBER"}
    number = int((await gql.do("createUser", "user { id }", **given))["user"]["id"].removeprefix("user_"))
    return Gql(replace(gql.caller, actor=f"user:{number}", user_id=number, role=Role.MEMBER))


async def told(api: Gql) -> list[tuple[str, str]]:
    return [(each["kind"], each["text"]) for each in (await api(MINE))["notifications"]["nodes"]]


async def test_what_concerns_somebody_is_told_to_it_alone(gql, cal, team, time, work):
    me, other = f"user_{gql.caller.user_id}", f"user_{cal.caller.user_id}"
    ann = await team.contact("ann@told.test")
    at = (await clock.now() + timedelta(minutes=5)).isoformat()
    mine = await gql.do("createTask", "task { id }", contactId=ann, title="My own", assigneeId=me)
    await gql.do("createTask", "task { id }", contactId=ann, title="Call Ann", assigneeId=other, alertAt=at)
    await gql.do("updateTask", "task { id }", id=mine["task"]["id"], title="Yours now", assigneeId=other)
    await gql.do("updateTask", "task { id }", id=mine["task"]["id"], title="Still yours", assigneeId=other)
    form = await gql.do(
        "createForm",
        "form { id }",
        name="Sign up",
        fields=[{"name": "email"}],
        actions=[{"notify": {"userId": other}}, {"notify": {"userId": other}}, {"notify": {"userId": me}}],
    )
    await gql.do("submitForm", "contact { id }", formId=form["form"]["id"], answers={"email": "bob@told.test"})
    await time.passes(minutes=6)
    await alerts.send_due(await clock.now())
    job = (await cal.do("bulkEdit", "job { id }", ids=[ann], addTags=["vip"]))["job"]["id"]
    await work()
    assert await told(cal) == [
        ("JOB_FINISHED", "Your bulk edit is done"),
        ("TASK_ALERT", "Reminder: Call Ann"),
        ("FORM_SUBMITTED", "Sign up was filled in"),
        ("TASK_ASSIGNED", "You were given a task: Yours now"),
        ("TASK_ASSIGNED", "You were given a task: Call Ann"),
    ]
    assert await told(gql) == [("FORM_SUBMITTED", "Sign up was filled in")]
    seen = (await cal(MINE))["notifications"]["nodes"]
    assert (seen[0]["subjectId"], seen[0]["contact"], seen[1]["contact"]) == (job, None, {"id": ann})

    assert (await cal(UNREAD))["notifications"]["totalCount"] == 5
    theirs = (await gql(MINE))["notifications"]["nodes"][0]["id"]
    refused = await cal.refused("markNotificationsRead", "marked", ids=[seen[0]["id"], theirs, "zzz"])
    assert [(each["code"], each["path"][2]) for each in refused["errors"]] == [("NOT_FOUND", "1"), ("NOT_FOUND", "2")]
    assert (await cal.do("markNotificationsRead", "marked", ids=[seen[0]["id"]]))["marked"] == 1
    assert (await cal.do("markNotificationsRead", "marked", ids=[seen[0]["id"]]))["marked"] == 0
    assert (await cal(UNREAD))["notifications"]["totalCount"] == 4
    assert (await cal.do("markNotificationsRead", "marked", all=True))["marked"] == 4
    assert (await gql(UNREAD))["notifications"]["totalCount"] == 1
    for given in ({}, {"ids": [], "all": True}):
        assert [e["code"] for e in (await cal.refused("markNotificationsRead", **given))["errors"]] == ["REQUIRED"]
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert (await cal(nodes, ids=[theirs, seen[0]["id"]]))["nodes"] == [None, {"id": seen[0]["id"]}]
    assert (await gql(nodes, ids=[theirs, seen[0]["id"]]))["nodes"] == [{"id": theirs}, None]
    await gql.do("deleteContact", "contact { id }", id=ann, confirm=True)
    assert [kind for kind, _ in await told(cal)] == ["JOB_FINISHED", "FORM_SUBMITTED"]
    await notifications.forget(await clock.now() + timedelta(days=91))
    assert await told(cal) == []


async def test_one_mail_tells_a_user_all_that_came_if_it_wants_mail_of_that(gql, cal, team, time, work, mailbox):
    other = cal.caller.user_id
    people = [int((await team.contact()).removeprefix("contact_")) for _ in range(3)]
    await tasks.add(ids(people), {"title": "Call", "assignee_id": other}, by=gql.caller)
    await work()
    await work()
    [mail] = mailbox.messages
    assert (mail["To"], mail["Subject"]) == ("cal@parcours.test", "Parcours: 3 notifications")
    assert mail.get_content().splitlines()[:3] == ["You were given a task: Call"] * 3

    preference = "user { mailedNotifications }"
    default = [
        *("TASK_ASSIGNED", "TASK_ALERT", "FORM_SUBMITTED", "WEBHOOK_PAUSED"),
        *("CAMPAIGN_WARNING", "CAMPAIGN_PAUSED", "AUTOMATION_WARNING", "AUTOMATION_PAUSED"),
    ]
    assert (await cal("{ viewer { mailedNotifications } }"))["viewer"] == {"mailedNotifications": default}
    chosen = await cal.do("updateNotificationPreference", preference, mailed=["JOB_FINISHED", "WEBHOOK_PAUSED"])
    assert chosen["user"]["mailedNotifications"] == ["WEBHOOK_PAUSED", "JOB_FINISHED"]
    at = (await clock.now() + timedelta(minutes=5)).isoformat()
    given = {"contactId": f"contact_{people[0]}", "title": "Quiet", "assigneeId": f"user_{other}", "alertAt": at}
    await gql.do("createTask", "task { id }", **given)
    actions = [{"notify": {"userId": f"user_{other}"}}]
    form = await gql.do("createForm", "form { id }", name="Sign up", fields=[{"name": "email"}], actions=actions)
    await gql.do("submitForm", "contact { id }", formId=form["form"]["id"], answers={"email": "bob@told.test"})
    await time.passes(minutes=6)
    assert await alerts.send_due(await clock.now()) == 1
    assert await letters.send_due(await clock.now()) == 1
    await work()
    assert len(mailbox.messages) == 1
    await cal.do("bulkEdit", "job { id }", ids=[given["contactId"]], addTags=["vip"])
    await work()
    assert mailbox.messages[1]["Subject"] == "Your bulk edit is done"
    assert len(await told(cal)) == 7


async def test_notifications_come_live_to_whom_they_are_for(gql, cal, caller):
    document = gql._documents.read("subscription { notificationAdded { text } }")
    hub = Hub()

    async def listen(api: Gql, live: Any, count: int) -> list[str]:
        context = Context(replace(api.caller, now=await clock.now()), "request-of-a-test", live)
        answers = execution.stream(document, document.operation(None), {}, context)
        heard = [orjson.loads(orjson.dumps((await anext(answers)).data)) for _ in range(count)]
        return [each["notificationAdded"]["text"] for each in heard]

    async def notify(user: int | None, *titles: str) -> None:
        source = Sql(
            "SELECT {user}::bigint, 'TASK_ASSIGNED', NULL::bigint, 1::bigint, jsonb_build_object('title', w.title) "
            "FROM unnest({titles}::text[]) AS w (title)",
            user=user,
            titles=list(titles),
        )
        noticed = notifications.recorded(source, now=caller.now)
        await database.execute(Sql("WITH {noticed} SELECT 1", noticed=noticed))

    async with hub.listening():
        await hub.ready()
        waiting = [asyncio.create_task(listen(cal, hub, 2)), asyncio.create_task(listen(gql, hub, 1))]
        await asyncio.sleep(0.1)
        await notify(cal.caller.user_id, "One", "Two")
        await notify(gql.caller.user_id, "Three")
        async with asyncio.timeout(5):
            assert await asyncio.gather(*waiting) == [
                ["You were given a task: One", "You were given a task: Two"],
                ["You were given a task: Three"],
            ]
            await notify(cal.caller.user_id, *["Many"] * 301)
            assert await listen(cal, CatchingUp(hub), 1) == ["You were given a task: Many"]
