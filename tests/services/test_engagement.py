"""Levels of engagement, to the letter of domain.md 4: what counts, where its borders are, and that time passes them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from kit import db as database
from kit.sql import Sql, ids
from services import engagement, mail_events, merging, unmerging
from services.caller import Caller
from services.outcome import Outcome

DAY, HOUR, MOMENT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
COLUMNS = {
    "send_key": "text",
    "contact_id": "bigint",
    "kind": "text",
    "at": "timestamptz",
    "link": "text",
    "machine": "boolean",
    "soft": "boolean",
    "message_id": "bigint",
    "campaign_id": "bigint",
    "automation_id": "bigint",
    "step_id": "bigint",
    "origin": "text",
}


async def tell(told: Iterable[dict[str, Any]], *, by: Caller) -> Outcome:
    """Record events as other rooms do: `record` is asked with SQL that selects them."""
    rows = [{"machine": False, "soft": False, "origin": "CAMPAIGN", **each} for each in told]
    document = [{key: str(value) if key == "at" else value for key, value in row.items()} for row in rows]
    columns = Sql(", ".join(f"{name} {kind}" for name, kind in COLUMNS.items()))
    query = "SELECT * FROM jsonb_to_recordset({rows}::jsonb) AS w ({columns})"
    return await mail_events.record(Sql(query, rows=database.jsonb(document), columns=columns), by=by)


def mails(contact: int, *sent: datetime, opened: int = 0, **more: Any) -> list[dict[str, Any]]:
    """E-mails to the contact at these instants, of which the first `opened` were opened."""
    keys = [f"{contact}:{number}:{random.random()}" for number, _ in enumerate(sent)]
    told = [
        {"send_key": key, "contact_id": contact, "kind": "SENT", "at": at, **more}
        for key, at in zip(keys, sent, strict=True)
    ]
    told += [
        {"send_key": each["send_key"], "contact_id": contact, "kind": "OPENED", "at": each["at"]}
        for each in told[:opened]
    ]
    return told


async def levels(*contacts: int) -> list[str]:
    found = await database.rows(
        Sql("SELECT c.id, c.engagement_level FROM contact c WHERE c.id = ANY({ids}::bigint[])", ids=list(contacts))
    )
    by_id = {row["id"]: row["engagement_level"] for row in found}
    return [by_id[contact] for contact in contacts]


@pytest.fixture
def ago(caller):
    return lambda **length: caller.now - timedelta(**length)


async def test_the_borders_of_the_ratio_and_of_what_is_enough(people, caller, ago):
    """delivered 2 and 3; ratio 0.60 and 0.20 exactly, and a hair below each, in integers."""
    cases = [
        (0, 0, "EVERYONE_ELSE"),
        (2, 2, "EVERYONE_ELSE"),
        (3, 0, "LEAST"),
        (3, 2, "MOST"),
        (3, 1, "SOMEWHAT"),
        (5, 3, "MOST"),
        (10, 6, "MOST"),
        (100, 59, "SOMEWHAT"),
        (5, 1, "SOMEWHAT"),
        (10, 2, "SOMEWHAT"),
        (100, 19, "LEAST"),
        (7, 7, "MOST"),
    ]
    contacts = await people(len(cases))
    told = []
    for contact, (sent, opened, _) in zip(contacts, cases, strict=True):
        told += mails(contact, *[ago(days=5, minutes=n) for n in range(sent)], opened=opened)
    await tell(told, by=caller)
    assert await levels(*contacts) == [level for _, _, level in cases]


async def test_what_counts_and_what_does_not(people, caller, ago):
    """Bounced, personal and machine-opened ones; repeated and late opens; clicks without an open; the list's status."""
    three = [ago(days=30 + n) for n in range(3)]
    bounced, personal, other, machine, repeated, late, clicked, automated = contacts = await people(8)
    told = [
        *mails(bounced, *three, opened=3),
        *mails(personal, *three, opened=3, origin="PERSONAL"),
        *mails(other, *three, opened=3, origin="OTHER"),
        *mails(automated, *three, opened=3, origin="AUTOMATION"),
    ]
    told.append({**told[0], "kind": "BOUNCED", "soft": True})
    for contact in (machine, repeated, late, clicked):
        told += mails(contact, *three)
        first = {**told[-3], "at": ago(days=20)}
        told += {
            machine: [{**first, "kind": "OPENED", "machine": True}, {**first, "kind": "CLICKED", "machine": True}],
            repeated: [{**first, "kind": "OPENED", "at": ago(days=n)} for n in range(1, 9)],
            late: [{**first, "kind": "OPENED", "at": ago(minutes=1)}],  # counts for its e-mail, whenever it is
            clicked: [{**first, "kind": "CLICKED"}],
        }[contact]
    await tell(told, by=caller)
    expected = {
        bounced: "EVERYONE_ELSE",
        personal: "EVERYONE_ELSE",
        other: "EVERYONE_ELSE",
        machine: "LEAST",
        repeated: "SOMEWHAT",
        late: "SOMEWHAT",
        clicked: "SOMEWHAT",
        automated: "MOST",
    }
    assert await levels(*contacts) == [expected[contact] for contact in contacts]


async def test_cc7_emails_of_the_last_24_hours_do_not_count_and_time_passes_that_without_an_event(people, caller, ago):
    """Exactly 24 hours count, a moment less does not; neither the e-mail nor its open. The sweep sees it pass."""
    exactly, less = await people(2)
    two = [ago(days=2), ago(days=3)]
    await tell([*mails(exactly, *two, ago(hours=24)), *mails(less, *two, ago(hours=24) + MOMENT, opened=3)], by=caller)
    assert await levels(exactly, less) == ["LEAST", "EVERYONE_ELSE"]
    assert await engagement.sweep(caller.now) == 0
    assert await engagement.sweep(caller.now + MOMENT) == 1
    assert await levels(exactly, less) == ["LEAST", "MOST"]


async def test_emails_of_180_days_ago_count_to_the_last_moment(people, caller, ago):
    exactly, more = await people(2)
    two = [ago(days=2), ago(days=3)]
    await tell([*mails(exactly, *two, ago(days=180)), *mails(more, *two, ago(days=180) - MOMENT)], by=caller)
    assert await levels(exactly, more) == ["LEAST", "EVERYONE_ELSE"]
    assert await engagement.sweep(caller.now) == 0
    await engagement.sweep(caller.now + MOMENT)
    assert await levels(exactly, more) == ["EVERYONE_ELSE", "EVERYONE_ELSE"]


async def test_t48_cc9_q25_the_previous_level_is_the_one_before_and_only_a_change_of_level_moves_it(
    people, caller, ago, facts, gql
):
    """CC9. A recomputation with the same result changes nothing; every level that was is kept with its times."""
    [contact] = await people(1)
    told = mails(contact, *[ago(days=3 + n) for n in range(3)])
    later = [replace(caller, now=caller.now + n * HOUR) for n in range(5)]
    await tell(told, by=later[0])  # LEAST
    await engagement.refresh(ids([contact]), by=later[1])
    await tell([{**told[0], "kind": "OPENED"}], by=later[2])  # SOMEWHAT
    again = await tell([{**told[0], "kind": "OPENED", "at": ago(hours=1)}], by=later[3])
    assert again.changed == {contact}
    assert not (await engagement.refresh(ids([contact]), by=later[3])).changed
    await tell([{**told[1], "kind": "OPENED"}], by=later[4])  # MOST
    query = """query ($id: ID!) { contact(id: $id) {
        engagementLevel previousEngagementLevel createdAt
        engagement { level since previousLevel delivered engaged computedAt }
        engagementHistory { level from to }
    } }"""
    found = (await gql(query, id=f"contact_{contact}"))["contact"]
    assert (found["engagementLevel"], found["previousEngagementLevel"]) == ("MOST", "SOMEWHAT")
    at = [None if each is None else datetime.fromisoformat(each) for each in (found["createdAt"], None)]
    times = [at[0], later[0].now, later[2].now, later[4].now, None]
    names = ["EVERYONE_ELSE", "LEAST", "SOMEWHAT", "MOST"]
    history = [(level, times[n], times[n + 1]) for n, level in enumerate(names)]
    assert [
        (each["level"], datetime.fromisoformat(each["from"]), each["to"] and datetime.fromisoformat(each["to"]))
        for each in found["engagementHistory"]
    ] == history[::-1]
    state = found["engagement"]
    assert (state["level"], state["previousLevel"], state["delivered"], state["engaged"]) == ("MOST", "SOMEWHAT", 3, 2)
    assert datetime.fromisoformat(state["since"]) == datetime.fromisoformat(state["computedAt"]) == later[4].now
    told_of = [(fact["data"]["from"], fact["data"]["to"]) for fact in await facts("ENGAGEMENT_LEVEL_CHANGED")]
    assert told_of == list(pairwise(names))


@dataclass
class Sent:
    contact: int
    at: datetime
    engaged: bool
    counts: bool


def level_of(sent: list[Sent], now: datetime) -> str:
    """The definition once more, in plain Python."""
    counted = [each for each in sent if each.counts and now - 180 * DAY <= each.at <= now - DAY]
    delivered, engaged = len(counted), sum(each.engaged for each in counted)
    if delivered < 3:
        return "EVERYONE_ELSE"
    if engaged * 100 >= 60 * delivered:
        return "MOST"
    return "SOMEWHAT" if engaged * 100 >= 20 * delivered else "LEAST"


@pytest.mark.parametrize("seed", range(4))
async def test_cc1_cc8_whatever_time_it_is_everybody_has_exactly_the_level_that_is_due(people, caller, gql, seed):
    """Random e-mails, and the sweep alone: at borders and between them it agrees with the definition, and the four
    segments hold everybody once. Who is not due is not looked at."""
    dice = random.Random(seed)
    contacts = await people(40)
    lengths, shifts = [HOUR, DAY, 100 * DAY, 178 * DAY, 179 * DAY, 180 * DAY], [-HOUR, -MOMENT, timedelta(), MOMENT]
    sent = [
        Sent(
            contact,
            caller.now - dice.choice(lengths) + dice.choice(shifts),
            engaged=dice.random() < dice.choice([0.1, 0.5, 0.9]),
            counts=dice.random() < 0.9,
        )
        for contact in contacts
        for _ in range(dice.choice([0, 2, 3, 5, 8]))
    ]
    told = []
    for each in sent:
        told += mails(each.contact, each.at, opened=each.engaged, origin="CAMPAIGN" if each.counts else "PERSONAL")
    await tell(told, by=caller)
    of = {contact: [each for each in sent if each.contact == contact] for contact in contacts}
    passing = {(each.contact, each.at + length) for each in sent for length in (DAY, 180 * DAY + MOMENT) if each.counts}
    instants = sorted({each for _, at in passing for each in (at - MOMENT, at) if each > caller.now})
    known = {contact: ["EVERYONE_ELSE"] for contact in contacts}
    last = caller.now
    seen: set[str] = set()
    for now in [caller.now, *sorted(dice.sample(instants, 25)), caller.now + 300 * DAY]:
        due = {contact for contact, at in passing if last < at <= now}
        assert await engagement.sweep(now) == len(due)
        expected = [level_of(of[contact], now) for contact in contacts]
        assert await levels(*contacts) == expected
        for contact, level in zip(contacts, expected, strict=True):
            if known[contact][-1] != level:
                known[contact].append(level)
        last, seen = now, seen | set(expected)
        if now < instants[len(instants) // 2]:
            counts = (await gql("{ segments(kind: PREBUILT) { nodes { name count } } }"))["segments"]["nodes"]
            assert {
                each["name"].upper().replace(" ", "_").removesuffix("_ENGAGED"): each["count"] for each in counts
            } == {level: expected.count(level) for level in ("MOST", "SOMEWHAT", "LEAST", "EVERYONE_ELSE")}
    assert len(seen) == 4
    before = await database.rows(Sql("SELECT c.id, c.previous_engagement_level AS level FROM contact c"))
    assert {row["id"]: row["level"] for row in before} == {
        contact: ["EVERYONE_ELSE", *levels][-2] for contact, levels in known.items()
    }
    for which in ("CURRENT", "PREVIOUS"):
        halves = [{"engagement": {"level": which, way: "LEAST"}} for way in ("is", "isNot")]
        query = "query ($where: ConditionInput) { contacts(where: $where) { totalCount } }"
        assert sum([(await gql(query, where=half))["contacts"]["totalCount"] for half in halves]) == len(contacts)


async def test_a_changed_setting_is_applied_to_everybody_in_pieces(people, caller, ago, gql, monkeypatch):
    monkeypatch.setattr(engagement, "PIECE_SIZE", 2)
    contacts = await people(5)
    for contact in contacts:
        await tell(mails(contact, *[ago(days=10 + n) for n in range(4)], opened=2), by=caller)
    assert await levels(*contacts) == ["SOMEWHAT"] * 5
    await gql.do("updateSettings", "settings { engagementMostPercent }", engagementMostPercent=50)
    assert await engagement.sweep(caller.now) == 5
    assert await levels(*contacts) == ["MOST"] * 5
    assert await engagement.sweep(caller.now) == 0
    await gql.do("updateSettings", "settings { name }", engagementWindowDays=11, engagementPauseHours=0)
    await engagement.sweep(caller.now)
    assert await levels(*contacts) == ["EVERYONE_ELSE"] * 5
    await gql.do("updateSettings", "settings { name }", name="Another name")
    assert await engagement.sweep(caller.now) == 0
    for given in ({"engagementMostPercent": 0}, {"engagementSomePercent": 60}, {"engagementSendsMin": 0}):
        refused = await gql.refused("updateSettings", "settings { name }", **given)
        assert [error["code"] for error in refused["errors"]] == ["OUT_OF_RANGE"]


async def bounce(contact: int, number: int, ago: Any, by: Caller, **more: Any) -> None:
    [sent] = mails(contact, ago(days=30 - number))
    await tell([sent, {**sent, "kind": "BOUNCED", **more}] if more else [sent], by=by)


async def test_ac13_hard_bounces_end_memberships_at_once_and_soft_ones_when_three_come_in_a_row(
    people, caller, ago, gql
):
    hard, soft, broken, gone, annoyed = contacts = await people(5)
    list_id = (await gql.do("createList", "list { id }", name="News"))["list"]["id"]
    for contact in contacts:
        await gql.do(
            "setMembership", "membership { id }", contactId=f"contact_{contact}", listId=list_id, status="ACTIVE"
        )
    await gql.do(
        "setMembership", "membership { id }", contactId=f"contact_{gone}", listId=list_id, status="UNSUBSCRIBED"
    )

    async def status(contact: int) -> str:
        query = "SELECT m.status FROM membership m WHERE m.contact_id = {id}::bigint"
        return await database.value(Sql(query, id=contact))

    for contact in (hard, gone):
        await bounce(contact, 1, ago, caller, soft=False)
    assert [await status(each) for each in (hard, gone)] == ["BOUNCED", "UNSUBSCRIBED"]
    for number, expected in ((1, "ACTIVE"), (2, "ACTIVE"), (3, "BOUNCED")):
        await bounce(soft, number, ago, caller, soft=True)
        assert await status(soft) == expected
    for number in range(1, 6):  # the third of five arrives
        await bounce(broken, number, ago, caller, **({} if number == 3 else {"soft": True}))
    assert await status(broken) == "ACTIVE"
    await gql.do("setMembership", "membership { id }", contactId=f"contact_{soft}", listId=list_id, status="ACTIVE")
    await bounce(soft, 4, ago, caller, soft=True)
    assert await status(soft) == "ACTIVE"  # it begins anew
    [sent] = mails(annoyed, ago(days=1))
    await tell([sent, {**sent, "kind": "COMPLAINED"}], by=caller)
    assert await status(annoyed) == "UNSUBSCRIBED"


async def test_merged_contacts_have_the_level_of_what_both_were_sent(people, caller, ago):
    kept, gone = await people(2)
    await tell([*mails(kept, ago(days=3)), *mails(gone, ago(days=4), ago(days=5), opened=2)], by=caller)
    assert await levels(kept, gone) == ["EVERYONE_ELSE"] * 2
    merge = await merging.merge(kept, gone, [], by=caller)
    assert await levels(kept) == ["MOST"]
    assert await unmerging.unmerge(merge, by=caller) == gone
    assert await levels(kept, gone) == ["EVERYONE_ELSE"] * 2


async def test_events_that_are_told_at_once_are_all_counted(people, caller, ago):
    """Eight at a time for the same two contacts, each told twice: once each, and the level all of them make."""
    pair = await people(2)
    calls = [[told for contact in pair for told in mails(contact, ago(days=n), opened=n % 2)] for n in range(2, 10)]
    await asyncio.gather(*[tell(call, by=caller) for call in calls * 2])
    counted = await database.rows(Sql("SELECT en.delivered, en.engaged FROM engagement en"))
    assert [(row["delivered"], row["engaged"]) for row in counted] == [(8, 4), (8, 4)]
    assert await levels(*pair) == ["SOMEWHAT"] * 2
