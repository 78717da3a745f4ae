"""Waits for days and times (domain 2.5): zones, hours that are skipped or come twice, years without a 29 February."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kit import card, db
from kit.errors import Invalid
from kit.sql import Sql, ids
from services import field_changes, fields
from tests.workflows.stage import Stage, line, step
from workflows import publish
from workflows.steps.wait_until import WaitUntil
from workflows.steps.wait_until_date import WaitUntilDate

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """An instant by its local time; "2026-10-25 02:30 again" is the second one of a doubled hour."""
    again = text.endswith(" again")
    return datetime.fromisoformat(text.removesuffix(" again")).replace(tzinfo=zone, fold=again).astimezone(UTC)


@pytest.mark.parametrize(
    ("told", "arrives", "until"),
    [
        ({"time": "09:00"}, "2026-11-22 08:59", "2026-11-22 09:00"),
        ({"time": "09:00"}, "2026-11-22 09:59", "2026-11-22 09:59"),  # within the hour it passes
        ({"time": "09:00"}, "2026-11-22 10:00", "2026-11-23 09:00"),
        ({"weekday": "MONDAY"}, "2026-11-22 10:00", "2026-11-23 00:00"),  # the 22nd is a Sunday
        ({"weekday": "MONDAY"}, "2026-11-23 10:00", "2026-11-23 10:00"),
        ({"weekday": "MONDAY", "time": "08:30"}, "2026-11-23 08:31", "2026-11-30 08:30"),
        ({"day": 31}, "2026-11-22 10:00", "2026-12-31 00:00"),
        ({"day": 31}, "2026-02-01 10:00", "2026-03-31 00:00"),
        ({"month": 2, "day": 29}, "2026-11-22 10:00", "2028-02-29 00:00"),
        ({"month": 2, "day": 29, "weekday": "SUNDAY"}, "2026-11-22 10:00", "2032-02-29 00:00"),
        ({"month": 3}, "2026-03-05 10:00", "2026-03-05 10:00"),
        ({"month": 3, "time": "07:00"}, "2026-03-05 10:00", "2026-03-06 07:00"),
        ({"year": 2026, "month": 1, "day": 1}, "2026-11-22 10:00", None),  # past for good
        ({"year": 2030}, "2026-11-22 10:00", "2030-01-01 00:00"),
        ({"time": "02:30"}, "2026-03-28 12:00", "2026-03-29 03:00"),  # there is no 02:30: at the change
        ({"time": "02:30"}, "2026-10-24 12:00", "2026-10-25 02:30"),  # 02:30 comes twice: the first
        ({"time": "02:00"}, "2026-10-25 02:40 again", "2026-10-25 02:40 again"),
        ({"time": "00:00"}, "2026-03-29 12:00", "2026-03-30 00:00"),  # a day of 23 hours
    ],
)
def test_the_next_time_that_a_pattern_comes(told: dict, arrives: str, until: str | None) -> None:
    found = card.read(WaitUntil, told).after(at(arrives), BERLIN)
    assert found == (None if until is None else at(until))


@pytest.mark.parametrize(
    ("told", "value", "arrives", "until"),
    [
        ({}, "2026-12-24", "2026-11-22 10:00", "2026-12-24 00:00"),
        ({"time": "09:00"}, "2026-12-24", "2026-11-22 10:00", "2026-12-24 09:00"),
        ({"when": "BEFORE", "days": 3, "time": "09:00"}, "2026-12-24", "2026-11-22 10:00", "2026-12-21 09:00"),
        ({"when": "AFTER", "days": 10}, "2026-12-24", "2026-11-22 10:00", "2027-01-03 00:00"),
        ({}, "2020-01-01", "2026-11-22 10:00", "2020-01-01 00:00"),  # past: at once
        ({}, "2026-12-24T18:30:00+00:00", "2026-11-22 10:00", "2026-12-24 19:30"),
        ({"time": "07:00"}, "2026-12-24T23:30:00+00:00", "2026-11-22 10:00", "2026-12-25 07:00"),  # the 25th in Berlin
        ({"yearly": True}, "1990-05-17", "2026-11-22 10:00", "2027-05-17 00:00"),
        ({"yearly": True}, "1992-02-29", "2026-11-22 10:00", "2027-02-28 00:00"),
        ({"yearly": True}, "1992-02-29", "2027-11-22 10:00", "2028-02-29 00:00"),
        ({"yearly": True, "when": "BEFORE", "days": 7}, "1992-01-03", "2026-11-22 10:00", "2026-12-27 00:00"),
        ({"yearly": True, "when": "AFTER", "days": 400}, "2020-01-01", "2026-11-22 10:00", "2027-02-05 00:00"),
        ({"yearly": True}, "1990-11-22", "2026-11-22 10:00", "2026-11-22 10:00"),  # on the day itself
        ({"yearly": True, "time": "12:00"}, "1990-11-22", "2026-11-22 10:00", "2026-11-22 12:00"),
    ],
)
def test_when_the_date_of_a_contact_has_come(told: dict, value: str, arrives: str, until: str) -> None:
    given = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    assert card.read(WaitUntilDate, {"field": "when", **told}).after(given, at(arrives), BERLIN) == at(until)


@pytest.mark.parametrize(
    ("of", "told", "path"),
    [
        (WaitUntil, {}, ()),
        (WaitUntil, {"zone": "CONTACT"}, ()),
        (WaitUntil, {"month": 2, "day": 30}, ("day",)),
        (WaitUntil, {"year": 2027, "month": 2, "day": 29}, ("day",)),
        (WaitUntil, {"time": "25:00"}, ("time",)),
        (WaitUntil, {"time": "9"}, ("time",)),
        (WaitUntil, {"time": "09:00", "zone": "Mars/Base"}, ("zone",)),
        (WaitUntil, {"month": 13}, ("month",)),
        (WaitUntilDate, {"field": "when", "when": "BEFORE"}, ("days",)),
        (WaitUntilDate, {"field": "when", "days": 2}, ("days",)),
    ],
)
def test_a_faulty_wait_is_refused_with_the_place(of: type, told: dict, path: tuple) -> None:
    with pytest.raises(Invalid) as refusal:
        card.read(of, told)
    assert path in {problem.path for problem in refusal.value.problems}


async def test_the_zone_is_the_contacts_a_fixed_one_or_the_automations(stage: Stage) -> None:
    stage.caller = stage.caller.at(at("2026-11-22 12:00", ZoneInfo("UTC")))
    await db.execute(Sql("UPDATE account SET timezone = 'America/New_York'"))
    tokyo, nowhere = await stage.contact(), await stage.contact()
    await db.execute(Sql("UPDATE contact c SET timezone = 'Asia/Tokyo' WHERE c.id = {id}::bigint", id=tokyo))

    async def due(**told: object) -> list[int]:
        settings = {"timezone": told.pop("own")} if "own" in told else {}
        automation_id = await stage.draw([step("w", "waitUntil", time="18:00", **told)], **settings)
        runs = await stage.enter(automation_id, tokyo, nowhere)
        await stage.settle()
        waits = [(await stage.run(run))["due_at"] - stage.now for run in runs]
        return [round(each / timedelta(hours=1)) for each in waits]

    assert await due(zone="CONTACT") == [21, 11]  # 18:00 in Tokyo is 09:00 UTC; New York's 23:00
    assert await due(zone="ACCOUNT", own="Europe/Berlin") == [11, 11]
    assert await due(own="Europe/Berlin") == [5, 5]
    assert await due() == [11, 11]
    assert await due(zone="Asia/Karachi") == [1, 1]  # 18:00 there is 13:00 UTC
    await db.execute(Sql("UPDATE account SET timezone = 'UTC'"))


async def test_a_begun_wait_keeps_its_instant_and_asks_for_the_zone_again_when_it_comes(stage: Stage) -> None:
    stage.caller = stage.caller.at(at("2026-11-22 12:00", ZoneInfo("UTC")))
    zone = Sql("UPDATE contact c SET timezone = w.zone FROM (SELECT {zone}::text AS zone) AS w")
    people = [await stage.contact(), await stage.contact()]
    await db.execute(zone.with_(zone="Europe/Berlin"))
    automation_id = await stage.draw([step("w", "waitUntil", time="18:00", zone="CONTACT")])
    later, earlier = await stage.enter(automation_id, *people)
    await stage.settle()
    for number, name in ((people[0], "America/New_York"), (people[1], "Asia/Karachi")):
        moved = Sql("UPDATE contact c SET timezone = {zone}::text WHERE c.id = {id}::bigint", zone=name, id=number)
        await db.execute(moved)
    stage.later(hours=4)
    await stage.settle()
    assert (await stage.run(earlier))["end_reason"] is None, "18:00 in Karachi was 13:00 UTC; it is 16:00"
    stage.later(hours=1)
    await stage.settle()
    assert (await stage.run(earlier))["end_reason"] == "COMPLETED"
    assert (await stage.run(later))["due_at"] == at("2026-11-22 18:00", ZoneInfo("America/New_York"))


async def test_an_empty_date_is_waited_for_and_a_changed_one_counts(stage: Stage) -> None:
    stage.caller = stage.caller.at(at("2026-11-22 12:00", ZoneInfo("UTC")))
    await fields.create({"name": "renewal", "label": "Renewal", "type": "DATE"}, by=stage.caller)
    automation_id = await stage.draw(
        line(step("w", "waitUntilDate", field="renewal", when="BEFORE", days=2), step("t", "addTag", tag="told"))
    )
    contact = await stage.contact()
    run, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    assert (await stage.run(run))["due_at"] is None
    await field_changes.set_field(ids([contact]), "renewal", "SET", "2026-12-24", by=stage.caller)
    await stage.settle()
    assert (await stage.run(run))["due_at"] == at("2026-12-22", ZoneInfo("UTC"))
    await field_changes.set_field(ids([contact]), "renewal", "SET", "2026-11-30", by=stage.caller)
    await stage.settle()
    assert (await stage.run(run))["due_at"] == at("2026-11-28", ZoneInfo("UTC"))
    stage.later(days=6)
    await stage.settle()
    assert await stage.walked(run) == [("w", "COMPLETED"), ("t", "COMPLETED")]
    await stage.require_counts()


async def test_a_date_comes_again_every_year_and_once_a_day(stage: Stage) -> None:
    stage.caller = stage.caller.at(at("2026-11-22 12:00", ZoneInfo("UTC")))
    await fields.create({"name": "birthday", "label": "Birthday", "type": "DATE"}, by=stage.caller)
    automation_id = await stage.draw(
        [
            step("w", "waitUntilDate", "n", field="birthday", yearly=True),
            step("n", "addNote", "back", text="Happy birthday"),
            step("back", "goTo", step="w"),
        ]
    )
    contact = await stage.contact(field_values=[{"name": "birthday", "value": "1990-11-22"}])
    run, *_ = await stage.enter(automation_id, contact)
    await stage.settle()
    assert [key for key, _ in await stage.walked(run)] == ["w", "n", "back", "w"], (
        "today, and then not before next year"
    )
    assert (await stage.run(run))["due_at"] == at("2027-11-22", ZoneInfo("UTC"))
    stage.caller = stage.caller.at(at("2027-11-22", ZoneInfo("UTC")))
    await stage.settle()
    assert len(await stage.path(run)) == 7
    await stage.require_counts()


@pytest.mark.parametrize(
    ("told", "comes", "goes"),
    [
        ({"time": "09:00"}, ["2026-11-22 09:20", "2026-11-23 09:20", "2026-11-24 09:20"], [0, 0, 0]),
        ({"time": "09:00"}, ["2026-11-22 09:20", "2026-11-22 09:21"], [0, 1_419]),
        ({"time": "23:30"}, ["2026-11-22 23:50", "2026-11-23 00:20"], [0, 1_390]),
        ({"weekday": "SUNDAY"}, ["2026-11-22 10:00", "2026-11-22 10:00"], [0, 9_480]),
        ({"weekday": "SUNDAY", "time": "12:00"}, ["2026-11-22 10:00", "2026-11-22 12:00"], [120, 10_080]),
        ({"day": 1}, ["2026-12-01 10:00", "2027-01-01 08:00", "2027-01-01 08:00"], [0, 0, 44_160]),
    ],
)
def test_a_time_that_comes_again_lets_each_through_once(told: dict, comes: list[str], goes: list[int]) -> None:
    wait, left = card.read(WaitUntil, told), None
    for arrives, minutes in zip(comes, goes, strict=True):
        left = wait.after(at(arrives), BERLIN, left)
        assert left == at(arrives) + timedelta(minutes=minutes)


async def test_a_circle_through_a_time_of_day_goes_round_once_a_day(stage: Stage) -> None:
    stage.caller = stage.caller.at(at("2026-11-22 09:20", ZoneInfo("UTC")))
    circle = [step("w", "waitUntil", "n", time="09:00"), step("n", "addNote", "back", text="Good morning")]
    automation_id = await stage.draw([*circle, step("back", "goTo", step="w")])
    run, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    assert [key for key, _ in await stage.walked(run)] == ["w", "n", "back", "w"]
    for day in (23, 24):
        assert (await stage.run(run))["due_at"] == at(f"2026-11-{day} 09:00", ZoneInfo("UTC"))
        stage.caller = stage.caller.at(at(f"2026-11-{day} 09:00", ZoneInfo("UTC")))
        await stage.settle()
    assert len(await stage.path(run)) == 10
    await stage.require_counts()


async def test_a_field_that_is_gone_fails_the_step(stage: Stage) -> None:
    await fields.create({"name": "renewal", "label": "Renewal", "type": "DATE"}, by=stage.caller)
    automation_id = await stage.draw(line(step("w", "waitUntilDate", field="renewal"), step("e", "end")))
    await db.execute(Sql("DELETE FROM field"))
    run, *_ = await stage.enter(automation_id, await stage.contact())
    await stage.settle()
    assert await stage.walked(run) == [("w", "FAILED MISSING_REFERENCE"), ("e", "COMPLETED")]
    with pytest.raises(Invalid):
        await publish.update(automation_id, {"steps": [step("w", "waitUntilDate", field="email")]}, by=stage.caller)


async def test_the_hour_of_now_is_the_whole_hour(stage: Stage) -> None:
    def asks(op: str, value: str) -> list[dict]:
        rule = {"now": {"field": "TIME", "op": op, "value": value}}
        return [step("i", "ifElse", None, {"YES": None, "NO": None}, where=rule)]

    at_eleven = await stage.draw(asks("IS", "11:00"))
    after_23 = await stage.draw(asks("AFTER", "23:00"))
    contact = await stage.contact()
    for time, is_eleven, is_late in (
        ("10:59", "NO", "NO"),
        ("11:00", "YES", "NO"),
        ("11:59", "YES", "NO"),
        ("12:00", "NO", "NO"),
        ("23:30", "NO", "YES"),
        ("00:00", "NO", "NO"),
    ):
        stage.caller = stage.caller.at(at(f"2026-11-23 {time}", ZoneInfo("UTC")))
        for automation_id, branch in ((at_eleven, is_eleven), (after_23, is_late)):
            run, *_ = await stage.enter(automation_id, contact)
            await stage.settle()
            assert (await stage.path(run))[0]["branch"] == branch, time
