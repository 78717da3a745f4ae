"""Tags are given and taken by the set, and only what really changed is a fact."""

from __future__ import annotations

import asyncio

import pytest

from kit.errors import Invalid
from kit.sql import ids
from services import tags


async def test_ae5_a_tag_given_twice_is_one_tag_and_one_fact(caller, people, facts, count):
    [contact] = await people(1)
    first = await tags.give(ids([contact]), ["VIP"], by=caller)
    second = await tags.give(ids([contact]), [" vip "], by=caller)
    assert first.changed == {contact}
    assert second.unchanged == {contact}
    assert not second.changed
    [fact] = await facts("TAG_ADDED")
    assert (fact["contact_id"], fact["actor"], fact["data"]) == (contact, caller.actor, {"tag": "VIP"})
    assert fact["at"] == caller.now
    assert await count("pending_event") == 1


async def test_ae6_taking_a_tag_leaves_the_tag_itself(caller, people, facts, count):
    one, other = await people(2)
    await tags.give(ids([one, other]), ["vip", "new"], by=caller)
    assert (await tags.take(ids([one]), ["VIP", "unheard of"], by=caller)).changed == {one}
    assert (await tags.take(ids([one]), ["vip"], by=caller)).unchanged == {one}
    assert len(await facts("TAG_REMOVED")) == 1
    assert await count("tag") == 2
    assert await count("contact_tag") == 3


async def test_contacts_that_do_not_exist_are_refused_and_the_others_tagged(caller, people):
    [contact] = await people(1)
    outcome = await tags.give(ids([contact, contact, 10**12]), ["vip"], by=caller)
    assert outcome.changed == {contact}
    assert outcome.refused == {"NOT_FOUND": {10**12}}


async def test_who_lacks_one_of_several_tags_is_changed_and_has_one_fact_for_it(caller, people, facts):
    [contact] = await people(1)
    await tags.give(ids([contact]), ["a"], by=caller)
    assert (await tags.give(ids([contact]), ["a", "b"], by=caller)).changed == {contact}
    assert [fact["data"]["tag"] for fact in await facts("TAG_ADDED")] == ["a", "b"]


async def test_every_faulty_name_is_reported_and_none_is_stored(caller, people, count):
    [contact] = await people(1)
    with pytest.raises(Invalid) as refusal:
        await tags.give(ids([contact]), ["fine", "a,b", " ", "x" * 101, "nul\x00", 7], by=caller)
    assert [(p.code, p.path) for p in refusal.value.problems] == [
        ("INVALID_VALUE", ("tags", "1")),
        ("REQUIRED", ("tags", "2")),
        ("TOO_LONG", ("tags", "3")),
        ("NUL_CHARACTER", ("tags", "4")),
        ("WRONG_TYPE", ("tags", "5")),
    ]
    assert await count("tag") == 0


@pytest.mark.parametrize("verb", [tags.give, tags.take])
async def test_no_tag_at_all_is_refused(caller, people, verb):
    with pytest.raises(Invalid):
        await verb(ids(await people(1)), [], by=caller)


async def test_many_at_once_make_one_tag_and_one_fact_a_contact(caller, people, facts, count):
    contacts = await people(10)
    outcomes = await asyncio.gather(*(tags.give(ids(contacts), ["vip"], by=caller) for _ in range(20)))
    assert sum(len(outcome.changed) for outcome in outcomes) == 10
    assert await count("tag") == 1
    assert len(await facts("TAG_ADDED")) == 10
    outcomes = await asyncio.gather(*(tags.take(ids(contacts), ["vip"], by=caller) for _ in range(20)))
    assert sum(len(outcome.changed) for outcome in outcomes) == 10
    assert len(await facts("TAG_REMOVED")) == 10


async def test_names_differ_by_more_than_case_even_where_lower_case_is_odd(caller, count):
    made = await tags.ensure(["Straße", "STRASSE", "İstanbul", "Élan", "ÉLAN"], by=caller)
    assert len(set(made.values())) == 4
    assert made["Élan"] == made["ÉLAN"]
    assert await tags.ensure(list(made), by=caller) == made


async def test_keeping_some_tags_takes_all_others(caller, people, stored, facts):
    one, two = await people(2)
    await tags.give(ids([one, two]), [f"tag {number}" for number in range(100)], by=caller)
    await tags.give(ids([one]), ["VIP", "more"], by=caller)
    outcome = await tags.keep_only(ids([one, two]), ["vip"], by=caller)
    assert outcome.changed == {one, two}
    assert [row["contact_id"] for row in await stored("contact_tag")] == [one]
    assert len(await facts("TAG_REMOVED")) == 201
    assert (await tags.keep_only(ids([one, two]), ["vip"], by=caller)).unchanged == {one, two}
