"""Days that come let contacts in: once each, at their hour, after a standstill too (domain 2.3 DATE_REACHED)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from kit import db
from kit.errors import Invalid
from kit.sql import Sql, ids
from services import field_changes, fields, lists, memberships
from tests.workflows.stage import Stage, on, step
from workflows import dates, publish

STEPS = [step("rest", "waitFor", duration={"days": 400})]


async def with_day(stage: Stage, name: str, value: str) -> int:
    contact = await stage.contact()
    await field_changes.set_field(ids([contact]), name, "SET", value, by=stage.caller)
    return contact


async def came(stage: Stage, automation_id: int) -> list[int]:
    """Who entered, by run, after the days that have come were told."""
    while await dates.pass_(stage.now):
        pass
    await stage.settle()
    return [run["contact_id"] for run in await stage.runs(automation_id)]


@pytest.fixture
async def dated(stage: Stage) -> Stage:
    """At noon (UTC) of 27 February 2027, in an account with a day and an instant in two fields."""
    stage.caller = stage.caller.at(datetime(2027, 2, 27, 12, tzinfo=UTC))
    for name, kind in (("birthday", "DATE"), ("meeting", "DATETIME")):
        await fields.create({"name": name, "label": name.title(), "type": kind}, by=stage.caller)
    return stage


async def test_a_birthday_comes_every_year_and_the_29th_of_february_on_the_28th(dated):
    leap, usual, other = [await with_day(dated, "birthday", f"1996-02-{day}") for day in (29, 28, 27)]
    automation = await dated.draw(STEPS, on("dateReached", name="birthday", hour=9, ignoreYear=True))
    assert await came(dated, automation) == [other], "its day, though the hour was before the activation"
    dated.later(hours=20)  # 8 in the morning of the 28th
    assert await came(dated, automation) == [other]
    dated.later(hours=1)
    assert await came(dated, automation) == [other, leap, usual]
    assert await came(dated, automation) == [other, leap, usual], "once"
    label = (await dated.runs())[1]["entry_label"]
    assert label == "On Birthday 1996-02-29"
    dated.caller = dated.caller.at(datetime(2028, 2, 28, 10, tzinfo=UTC))
    entries = await came(dated, automation)
    assert (entries.count(leap), entries.count(usual), entries.count(other)) == (1, 2, 2), "in 2028 on the 29th"
    dated.later(days=1)
    assert (await came(dated, automation)).count(leap) == 2


@pytest.mark.parametrize(
    ("told", "value", "instant"),
    [
        ({"name": "birthday", "hour": 9, "timezone": "America/New_York"}, "2027-03-01", "2027-03-01T14:00"),
        ({"name": "birthday", "when": "BEFORE", "days": 1}, "2027-03-02", "2027-03-01T00:00"),
        ({"name": "birthday", "when": "AFTER", "days": 3}, "2027-02-26", "2027-03-01T00:00"),
        ({"name": "meeting", "timezone": "Asia/Tokyo"}, "2027-03-01T16:00:00Z", "2027-03-01T15:00"),
        ({"name": "birthday", "hour": 2, "timezone": "Europe/Berlin"}, "2027-03-28", "2027-03-28T01:00"),
    ],
)
async def test_a_day_comes_at_its_hour_in_its_zone(dated, told, value, instant):
    automation = await dated.draw(STEPS, on("dateReached", **told))
    contact, at = await with_day(dated, told["name"], value), datetime.fromisoformat(instant).replace(tzinfo=UTC)
    dated.caller = dated.caller.at(at)
    dated.later(microseconds=-1)
    assert await came(dated, automation) == []
    dated.later(microseconds=1)
    assert await came(dated, automation) == [contact]
    dated.later(days=20)
    assert await came(dated, automation) == [contact]


async def test_many_contacts_on_one_day_and_two_workers_let_each_in_once(dated, monkeypatch):
    monkeypatch.setattr(dates, "CONTACTS_MAX", 3)
    people = [await with_day(dated, "birthday", "2027-02-28") for _ in range(7)]
    automation = await dated.draw(STEPS, on("dateReached", name="birthday"))
    dated.later(days=30)  # nobody looked for a month
    for _ in range(40):
        await asyncio.gather(*(asyncio.create_task(dates.pass_(dated.now)) for _ in range(2)))
    assert await came(dated, automation) == people


async def test_an_edit_or_a_pause_lets_nobody_in_again_and_what_is_switched_off_nobody(dated):
    contact = await with_day(dated, "birthday", "2027-02-28")
    automation = await dated.draw(STEPS, on("dateReached", name="birthday", hour=1))
    dated.later(days=1)
    assert await came(dated, automation) == [contact]
    await publish.update(automation, {"triggers": [on("dateReached", name="birthday", hour=13)]}, by=dated.caller)
    dated.later(hours=2)
    assert await came(dated, automation) == [contact]
    await publish.deactivate(automation, by=dated.caller)
    await with_day(dated, "birthday", "2027-03-01")
    dated.later(days=3)
    await publish.activate(automation, by=dated.caller)
    assert await came(dated, automation) == [contact], "days that came while it was inactive are gone"
    off = {**on("dateReached", name="birthday"), "enabled": False}
    await publish.update(automation, {"triggers": [off]}, by=dated.caller)
    await with_day(dated, "birthday", "2027-03-04")
    dated.later(days=1)
    assert await came(dated, automation) == [contact]


async def test_a_trigger_that_is_not_enabled_lets_nobody_in_until_it_is(stage):
    trigger = on("tagAdded", tag="vip")
    automation = await stage.draw(STEPS, {**trigger, "enabled": False})
    contact, later = await stage.contact(), await stage.contact()
    await stage.tag(contact, "vip")
    await stage.settle()
    assert await stage.runs() == []
    await publish.update(automation, {"triggers": [{**trigger, "enabled": True}]}, by=stage.caller)
    await stage.tag(later, "vip")
    await stage.settle()
    assert [run["contact_id"] for run in await stage.runs()] == [later]


@pytest.mark.parametrize(
    ("told", "code", "where"),
    [
        ({"name": "nothing"}, "UNKNOWN_FIELD", "name"),
        ({"name": "count"}, "WRONG_TYPE", "name"),
        ({"name": "birthday", "days": 3}, "INVALID_VALUE", "when"),
        ({"name": "birthday", "when": "AFTER"}, "REQUIRED", "days"),
        ({"name": "birthday", "timezone": "Mars/Olympus"}, "INVALID_VALUE", "timezone"),
        ({"name": "birthday", "hour": 24}, "OUT_OF_RANGE", "hour"),
    ],
)
async def test_what_is_no_day_is_refused(dated, told, code, where):
    await fields.create({"name": "count", "label": "Count", "type": "NUMBER"}, by=dated.caller)
    with pytest.raises(Invalid) as refused:
        await dated.draw(STEPS, on("dateReached", **told))
    assert [(each.code, each.path) for each in refused.value.problems] == [
        (code, ("triggers", "0", "on", "dateReached", where))
    ]


async def test_who_leaves_a_list_enters_and_goals_are_told_apart(stage):
    news, other = [await lists.create(name, by=stage.caller) for name in ("News", "Other")]
    automation = await stage.draw(STEPS, on("listUnsubscribed", listId=f"list_{news}"))
    contact = await stage.contact()
    for place in (other, news):
        for status in ("ACTIVE", "UNSUBSCRIBED"):
            await memberships.set_status(ids([contact]), place, status, by=stage.caller)
    await stage.settle()
    assert [run["entry_label"] for run in await stage.runs()] == ["Unsubscribed from News"]
    goals = [
        await stage.draw(STEPS, on("goalReached", automationId=f"automation_{automation}", **told))
        for told in ({"goal": "bought"}, {"result": "SKIPPED"}, {"goal": "Called"})
    ]
    await db.execute(
        Sql(
            """
            WITH told AS (
                INSERT INTO event (contact_id, kind, at, recorded_at, subject, actor, data)
                SELECT {contact}::bigint, 'GOAL_REACHED', {now}::timestamptz, {now}::timestamptz, {automation}::bigint,
                       'system', jsonb_build_object('goal', 'Bought', 'result', w.result, 'automation', 'Journey')
                FROM unnest(ARRAY['ACHIEVED', 'SKIPPED']) AS w (result)
                RETURNING id
            )
            INSERT INTO pending_event (event_id) SELECT told.id FROM told
            """,
            contact=contact,
            automation=automation,
            now=stage.now,
        )
    )
    await stage.settle()
    labels = [[run["entry_label"] for run in await stage.runs(goal)] for goal in goals]
    assert labels == [["Reached the goal Bought"], ["Passed the goal Bought"], []]
