"""Memberships know their status, since when, and who made them so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from kit.errors import Conflict, Invalid, NotFound
from kit.sql import ids
from services import lists, memberships


@pytest.fixture
async def newsletter(caller) -> int:
    return await lists.create("Newsletter", by=caller)


@pytest.fixture
def later(caller):
    return replace(caller, now=caller.now + timedelta(days=1))


async def test_a_list_has_a_name_no_other_has(caller, newsletter):
    with pytest.raises(Conflict) as refusal:
        await lists.create(" newsletter ", by=caller)
    assert [(p.code, p.path) for p in refusal.value.problems] == [("NAME_TAKEN", ("name",))]
    with pytest.raises(Invalid) as refusal:
        await lists.create(" ", description=5, channel="FAX", by=caller)
    assert {p.path for p in refusal.value.problems} == {("name",), ("description",), ("channel",)}
    assert await lists.find_by_name("NEWSLETTER") == newsletter


async def test_ae8_joining_makes_an_active_membership_by_hand_and_a_fact(caller, people, stored, facts, newsletter):
    [contact] = await people(1)
    outcome = await memberships.join(ids([contact]), newsletter, by=replace(caller, user_id=None))
    assert outcome.changed == {contact}
    [row] = await stored("membership")
    assert (row["status"], row["source"], row["subscribed_at"]) == ("ACTIVE", "MANUAL", caller.now)
    [fact] = await facts()
    assert (fact["kind"], fact["subject"]) == ("LIST_SUBSCRIBED", newsletter)
    assert fact["data"] == {"list": "Newsletter", "from": None, "to": "ACTIVE", "source": "MANUAL"}


async def test_joining_twice_is_one_membership_and_one_fact(caller, people, facts, newsletter, later):
    contacts = await people(3)
    await memberships.join(ids(contacts[:1]), newsletter, by=caller)
    outcome = await memberships.join(ids([*contacts, 10**12]), newsletter, by=later)
    assert outcome.changed == set(contacts[1:])
    assert outcome.unchanged == set(contacts[:1])
    assert outcome.refused == {"NOT_FOUND": {10**12}}
    assert len(await facts("LIST_SUBSCRIBED")) == 3


async def test_m9_who_left_everything_is_put_on_no_other_list_by_an_automation(caller, people, newsletter):
    left, partly, texter, fresh = everyone = await people(4)
    other = await lists.create("Other", by=caller)
    texts = await lists.create("Texts", channel="SMS", by=caller)
    await memberships.put(ids(everyone[:2]), [(newsletter, "ACTIVE")], by=caller)
    await memberships.join(ids([partly]), await lists.create("Kept", by=caller), by=caller)
    await memberships.join(ids([texter]), texts, by=caller)
    itself = replace(caller, source="CONTACT")
    await memberships.leave(ids(everyone[:2]), newsletter, by=itself)
    await memberships.leave(ids([texter]), texts, by=itself)
    outcome = await memberships.join(ids(everyone), other, by=caller, respect_unsubscribed=True)
    assert outcome.refused == {"PREVIOUSLY_UNSUBSCRIBED": {left}}
    assert outcome.changed == {partly, texter, fresh}
    assert (await memberships.join(ids([left]), other, by=caller)).changed == {left}  # by hand it may be (SQ17)


async def test_ac13_every_status_can_be_given_and_read_back(caller, people, stored, facts, newsletter):
    [contact] = await people(1)
    for status in ("UNCONFIRMED", "ACTIVE", "BOUNCED", "UNSUBSCRIBED", "ACTIVE"):
        assert (await memberships.set_status(ids([contact]), newsletter, status, by=caller)).changed == {contact}
        [row] = await stored("membership")
        assert row["status"] == status
    assert [fact["kind"] for fact in await facts()] == [
        "LIST_STATUS_CHANGED",
        "LIST_SUBSCRIBED",
        "LIST_STATUS_CHANGED",
        "LIST_UNSUBSCRIBED",
        "LIST_SUBSCRIBED",
    ]


async def test_ac14_the_source_is_that_of_the_latest_transition(caller, people, stored, newsletter, later):
    [contact] = await people(1)
    by_form = replace(caller, source="CONTACT", source_detail="FORM")
    await memberships.join(ids([contact]), newsletter, by=by_form)
    [row] = await stored("membership")
    assert (row["source"], row["source_detail"]) == ("CONTACT", "FORM")
    await memberships.leave(ids([contact]), newsletter, by=replace(later, source="AUTOMATION"))
    [row] = await stored("membership")
    assert (row["source"], row["source_detail"], row["unsubscribed_by"]) == ("AUTOMATION", None, "AUTOMATION")
    assert (row["subscribed_at"], row["unsubscribed_at"]) == (caller.now, later.now)


async def test_ac16_dates_tell_of_the_present_subscription(caller, people, stored, newsletter, later):
    [contact] = await people(1)
    await memberships.set_status(ids([contact]), newsletter, "UNCONFIRMED", by=caller)
    await memberships.set_status(ids([contact]), newsletter, "ACTIVE", by=later)
    [row] = await stored("membership")
    assert (row["subscribed_at"], row["confirmed_at"]) == (caller.now, later.now)
    await memberships.leave(ids([contact]), newsletter, by=later)
    again = replace(later, now=later.now + timedelta(days=1))
    await memberships.join(ids([contact]), newsletter, by=again)
    [row] = await stored("membership")
    assert (row["subscribed_at"], row["confirmed_at"]) == (again.now, None)
    assert (row["unsubscribed_at"], row["unsubscribed_by"]) == (None, None)


async def test_a_bounce_keeps_the_subscription_dates(caller, people, stored, newsletter, later):
    [contact] = await people(1)
    await memberships.join(ids([contact]), newsletter, by=caller)
    await memberships.set_status(ids([contact]), newsletter, "BOUNCED", by=later)
    await memberships.set_status(ids([contact]), newsletter, "ACTIVE", by=later)
    [row] = await stored("membership")
    assert row["subscribed_at"] == caller.now


async def test_leaving_all_lists_leaves_each_once(caller, people, facts, stored, newsletter):
    one, other = await people(2)
    offers = await lists.create("Offers", by=caller)
    await memberships.join(ids([one]), newsletter, by=caller)
    await memberships.join(ids([one]), offers, by=caller)
    outcome = await memberships.leave(ids([one, other]), None, by=caller)
    assert (outcome.changed, outcome.unchanged) == ({one}, {other})
    assert (await memberships.leave(ids([one, other]), None, by=caller)).unchanged == {one, other}
    assert {row["status"] for row in await stored("membership")} == {"UNSUBSCRIBED"}
    assert len(await facts("LIST_UNSUBSCRIBED")) == 2


async def test_leaving_a_list_one_is_not_on_changes_nothing(caller, people, count, newsletter):
    [contact] = await people(1)
    assert (await memberships.leave(ids([contact]), newsletter, by=caller)).unchanged == {contact}
    assert await count("membership") == 0


async def test_a_step_does_not_resubscribe_who_left_by_own_wish(caller, people, newsletter):
    own, made = await people(2)
    await memberships.join(ids([own, made]), newsletter, by=caller)
    await memberships.leave(ids([own]), newsletter, by=replace(caller, source="CONTACT"))
    await memberships.leave(ids([made]), newsletter, by=caller)
    outcome = await memberships.join(ids([own, made]), newsletter, by=caller, respect_unsubscribed=True)
    assert outcome.changed == {made}
    assert outcome.refused == {"PREVIOUSLY_UNSUBSCRIBED": {own}}
    assert (await memberships.join(ids([own]), newsletter, by=caller)).changed == {own}


async def test_an_unknown_list_or_status_is_refused(caller, people, newsletter):
    [contact] = await people(1)
    for verb in (memberships.join, memberships.leave):
        with pytest.raises(NotFound) as refusal:
            await verb(ids([contact]), 10**12, by=caller)
        assert refusal.value.problems[0].path == ("listId",)
    with pytest.raises(Invalid):
        await memberships.set_status(ids([contact]), newsletter, "MAYBE", by=caller)


async def test_many_at_once_make_one_membership_and_one_fact(caller, people, facts, count, newsletter):
    contacts = await people(5)
    outcomes = await asyncio.gather(*(memberships.join(ids(contacts), newsletter, by=caller) for _ in range(20)))
    assert sum(len(outcome.changed) for outcome in outcomes) == 5
    assert await count("membership") == 5
    assert len(await facts("LIST_SUBSCRIBED")) == 5
