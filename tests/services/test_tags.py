"""Tags are given and taken by the set, and only what really changed is a fact."""

from __future__ import annotations

import asyncio

import pytest

from kit import db as database
from kit.errors import Invalid
from kit.sql import Sql, ids
from services import tags
from services.caller import Caller


async def some_contacts(number: int, caller: Caller) -> list[int]:
    return await database.column(
        Sql(
            """
            INSERT INTO contact (email, created_at, updated_at)
            SELECT format('%s-%s@example.test', extract(epoch FROM {now}::timestamptz), n), {now}, {now}
            FROM generate_series(1, {number}::int) AS n
            RETURNING id
            """,
            number=number,
            now=caller.now,
        )
    )


async def facts_of(kind: str) -> list[dict]:
    return await database.rows(Sql("SELECT * FROM event e WHERE e.kind = {kind}::text ORDER BY e.id", kind=kind))


async def test_ae5_a_tag_given_twice_is_one_tag_and_one_fact(caller):
    [contact] = await some_contacts(1, caller)
    first = await tags.give(ids([contact]), ["VIP"], by=caller)
    second = await tags.give(ids([contact]), [" vip "], by=caller)
    assert first.changed == {contact}
    assert second.unchanged == {contact}
    assert not second.changed
    [fact] = await facts_of("TAG_ADDED")
    assert fact["contact_id"] == contact
    assert fact["actor"] == caller.actor
    assert fact["data"] == '{"tag": "VIP"}'
    assert await database.value(Sql("SELECT count(*) FROM pending_event")) == 1


async def test_ae6_taking_a_tag_leaves_the_tag_itself(caller):
    one, other = await some_contacts(2, caller)
    await tags.give(ids([one, other]), ["vip", "new"], by=caller)
    outcome = await tags.take(ids([one]), ["VIP", "unheard of"], by=caller)
    assert outcome.changed == {one}
    assert len(await facts_of("TAG_REMOVED")) == 1
    assert await database.value(Sql("SELECT count(*) FROM tag")) == 2
    assert await database.value(Sql("SELECT count(*) FROM contact_tag")) == 3
    assert (await tags.take(ids([one]), ["vip"], by=caller)).unchanged == {one}


async def test_contacts_that_do_not_exist_are_refused_and_the_others_tagged(caller):
    [contact] = await some_contacts(1, caller)
    outcome = await tags.give(ids([contact, contact, 10**12]), ["vip"], by=caller)
    assert outcome.changed == {contact}
    assert outcome.refused == {"NOT_FOUND": {10**12}}


async def test_every_faulty_name_is_reported_and_none_is_stored(caller):
    [contact] = await some_contacts(1, caller)
    with pytest.raises(Invalid) as refusal:
        await tags.give(ids([contact]), ["fine", "a,b", " ", "x" * 101, "nul\x00", 7], by=caller)
    assert [(p.code, p.path) for p in refusal.value.problems] == [
        ("INVALID_VALUE", ("tags", "1")),
        ("REQUIRED", ("tags", "2")),
        ("TOO_LONG", ("tags", "3")),
        ("NUL_CHARACTER", ("tags", "4")),
        ("WRONG_TYPE", ("tags", "5")),
    ]
    assert await database.value(Sql("SELECT count(*) FROM tag")) == 0


async def test_twenty_at_once_make_one_tag_and_one_fact_a_contact(caller):
    contacts = await some_contacts(10, caller)
    outcomes = await asyncio.gather(*(tags.give(ids(contacts), ["vip"], by=caller) for _ in range(20)))
    assert sum(len(outcome.changed) for outcome in outcomes) == 10
    assert await database.value(Sql("SELECT count(*) FROM tag")) == 1
    assert len(await facts_of("TAG_ADDED")) == 10
