"""One value set on many contacts: who changes, who does not, who is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kit import db as database
from kit.errors import Conflict, Invalid
from kit.sql import Sql, ids
from services import contacts, fields

PHONE = "+14032623443"


@pytest.fixture
async def total(caller) -> int:
    return await fields.create({"name": "total", "label": "Total", "type": "NUMBER"}, by=caller)


async def values(field: str) -> dict[int, object]:
    rows = await database.rows(
        Sql(
            """
            SELECT v.contact_id, jsonb_build_array(v.value) ->> 0 AS value
            FROM field_value v
            JOIN field f ON f.id = v.field_id
            WHERE f.name = {field}::text
            """,
            field=field,
        )
    )
    return {row["contact_id"]: row["value"] for row in rows}


async def test_set_fills_a_field_of_everybody_and_tells_what_changed(caller, people, facts, stored, total):
    one, two, three = await people(3)
    await contacts.set_field(ids([one]), "total", "SET", 40, by=caller)
    later = replace(caller, now=caller.now + timedelta(hours=1))
    outcome = await contacts.set_field(ids([one, two, three, 10**12]), "TOTAL", "SET", 40.0, by=later)
    assert (outcome.changed, outcome.unchanged) == ({two, three}, {one})
    assert outcome.refused == {"NOT_FOUND": {10**12}}
    assert [(f["contact_id"], f["subject"], f["data"]) for f in await facts("FIELD_CHANGED")] == [
        (contact, total, {"name": "total", "from": None, "to": 40}) for contact in (one, two, three)
    ]
    assert [row["updated_at"] for row in await stored("contact")] == [caller.now, later.now, later.now]


@pytest.mark.parametrize(("op", "value"), [("CLEAR", None), ("SET", None), ("SET", " ")])
async def test_clear_empties_a_field_also_a_required_one(caller, people, facts, count, op, value):
    await fields.create({"name": "must", "label": "Must", "type": "TEXT", "required": True}, by=caller)
    one, two = await people(2)
    await contacts.set_field(ids([one]), "must", "SET", "x", by=caller)
    outcome = await contacts.set_field(ids([one, two]), "must", op, value, by=caller)
    assert (outcome.changed, outcome.unchanged) == ({one}, {two})
    assert await count("field_value") == 0
    assert (await facts())[-1]["data"] == {"name": "must", "from": "x", "to": None}


async def test_add_and_subtract_count_from_what_is_there_and_from_nothing(caller, people, facts, total):
    one, two = await people(2)
    await contacts.set_field(ids([one]), "total", "SET", 39.60, by=caller)
    await contacts.set_field(ids([one, two]), "total", "ADD", 0.4, by=caller)
    outcome = await contacts.set_field(ids([one, two]), "total", "SUBTRACT", 10, by=caller)
    assert outcome.changed == {one, two}
    assert await values("total") == {one: "30", two: "-9.6"}
    assert [fact["data"]["to"] for fact in await facts()] == [39.6, 40, 0.4, 30, -9.6]


async def test_what_is_added_at_the_same_time_is_all_there_in_the_end(caller, people, facts, total):
    everybody = await people(5)
    await asyncio.gather(*(contacts.set_field(ids(everybody), "total", "ADD", 1, by=caller) for _ in range(20)))
    assert set((await values("total")).values()) == {"20"}
    assert len(await facts()) == 100


async def test_a_sum_out_of_range_is_refused_for_that_contact_only(caller, people, total):
    one, two = await people(2)
    await contacts.set_field(ids([one]), "total", "SET", 10**15 - 1, by=caller)
    outcome = await contacts.set_field(ids([one, two]), "total", "ADD", 1, by=caller)
    assert outcome.changed == {two}
    assert outcome.refused == {"OUT_OF_RANGE": {one}}


async def test_adding_nothing_changes_nobody(caller, people, total, facts):
    [one] = await people(1)
    await contacts.set_field(ids([one]), "total", "SET", 1, by=caller)
    assert (await contacts.set_field(ids([one]), "total", "ADD", 0, by=caller)).unchanged == {one}
    assert len(await facts()) == 1


async def test_now_is_the_day_of_the_account_or_the_instant(caller, people):
    await fields.create({"name": "day", "label": "Day", "type": "DATE"}, by=caller)
    await fields.create({"name": "at", "label": "At", "type": "DATETIME"}, by=caller)
    [one] = await people(1)
    night = replace(caller, now=datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    await database.execute(Sql("UPDATE account SET timezone = 'Asia/Tokyo'"))
    try:
        await contacts.set_field(ids([one]), "day", "NOW", None, by=night)
        await contacts.set_field(ids([one]), "at", "NOW", None, by=night)
    finally:
        await database.execute(Sql("UPDATE account SET timezone = 'UTC'"))
    assert await values("day") == {one: "2026-11-23"}
    assert await values("at") == {one: "2026-11-22T23:30:00+00:00"}


@pytest.mark.parametrize(
    ("name", "op", "value", "code", "path"),
    [
        ("unknown", "SET", 1, "UNKNOWN_FIELD", "name"),
        ("nul\x00", "SET", 1, "UNKNOWN_FIELD", "name"),
        ("total", "MULTIPLY", 1, "INVALID_VALUE", "op"),
        ("total", "NOW", None, "OPERATION_NOT_ALLOWED", "op"),
        ("total", "SET", "1", "WRONG_TYPE", "value"),
        ("total", "ADD", None, "REQUIRED", "value"),
        ("total", "ADD", "1", "WRONG_TYPE", "value"),
        ("firstName", "ADD", 1, "OPERATION_NOT_ALLOWED", "op"),
        ("firstName", "SET", 1, "WRONG_TYPE", "value"),
        ("jobTitle", "SET", "x" * 201, "TOO_LONG", "value"),
        ("email", "SET", "ann@", "EMAIL_INVALID", "value"),
        ("phone", "SET", "12", "PHONE_INVALID", "value"),
    ],
)
async def test_what_is_wrong_for_everybody_is_refused_at_once(caller, people, total, name, op, value, code, path):
    with pytest.raises(Invalid) as refusal:
        await contacts.set_field(ids(await people(1)), name, op, value, by=caller)
    assert [(p.code, p.path) for p in refusal.value.problems] == [(code, (path,))]


@pytest.mark.parametrize(("name", "column"), [("firstName", "first_name"), ("jobTitle", "job_title")])
async def test_built_in_texts_are_set_and_cleared_alike(caller, people, stored, facts, name, column):
    one, two = await people(2)
    await contacts.set_field(ids([one, two]), name, "SET", " Ann ", by=caller)
    outcome = await contacts.set_field(ids([one, two]), name, "SET", "Ann", by=caller)
    assert outcome.unchanged == {one, two}
    await contacts.set_field(ids([two]), name, "CLEAR", None, by=caller)
    assert [row[column] for row in await stored("contact")] == ["Ann", None]
    assert [fact["data"] for fact in await facts()][-1] == {"name": name, "from": "Ann", "to": None}


async def test_a_company_is_set_by_name_and_made_if_unknown(caller, people, facts, count):
    everybody = await people(2)
    await contacts.set_field(ids(everybody), "company", "SET", "Acme", by=caller)
    assert (await contacts.set_field(ids(everybody), "company", "SET", "ACME", by=caller)).unchanged == set(everybody)
    await contacts.set_field(ids(everybody), "company", "CLEAR", None, by=caller)
    assert await count("company") == 1
    assert [fact["data"]["to"] for fact in await facts()] == ["Acme", "Acme", None, None]


async def test_5_2_of_many_contacts_one_at_most_takes_an_address(caller, people, stored):
    one, two = await people(2)
    outcome = await contacts.set_field(ids([one, two]), "email", "SET", "a@x.test", by=caller)
    assert (outcome.changed, outcome.refused) == ({one}, {"EMAIL_TAKEN": {two}})
    outcome = await contacts.set_field(ids([one, two]), "email", "SET", "a@x.test", by=caller)
    assert (outcome.unchanged, outcome.refused) == ({one}, {"EMAIL_TAKEN": {two}})
    assert (await contacts.set_field(ids([two]), "email", "SET", "A@x.test", by=caller)).refused == {
        "EMAIL_TAKEN": {two}
    }


async def test_5_2_who_would_be_left_without_identifier_is_refused(caller):
    mail = await contacts.create({"email": "a@x.test"}, by=caller)
    both = await contacts.create({"email": "b@x.test", "phone": PHONE}, by=caller)
    same = await contacts.create({"email": "c@x.test", "phone": PHONE}, by=caller)
    outcome = await contacts.set_field(ids([mail, both, same]), "email", "CLEAR", None, by=caller)
    assert outcome.changed == {both}
    assert outcome.refused == {"IDENTIFIER_REQUIRED": {mail}, "PHONE_TAKEN": {same}}
    outcome = await contacts.set_field(ids([mail, both, same]), "phone", "CLEAR", None, by=caller)
    assert (outcome.changed, outcome.unchanged) == ({same}, {mail})
    assert outcome.refused == {"IDENTIFIER_REQUIRED": {both}}


async def test_5_2_a_number_is_shared_by_those_with_an_address_only(caller):
    mail = await contacts.create({"email": "a@x.test"}, by=caller)
    one = await contacts.create({"phone": "+14032623444"}, by=caller)
    two = await contacts.create({"phone": "+14032623445"}, by=caller)
    outcome = await contacts.set_field(ids([mail, one, two]), "phone", "SET", "403-262-3443", by=caller)
    assert (outcome.changed, outcome.refused) == ({mail, one}, {"PHONE_TAKEN": {two}})
    assert (await contacts.set_field(ids([two]), "phone", "SET", PHONE, by=caller)).refused == {"PHONE_TAKEN": {two}}


async def test_two_sets_that_want_one_address_leave_it_to_one_contact(caller, people, facts):
    everybody = await people(20)
    attempts = (contacts.set_field(ids([one]), "email", "SET", "a@x.test", by=caller) for one in everybody)
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    assert all(not isinstance(answer, Exception) or isinstance(answer, Conflict) for answer in answers)
    assert len(await facts()) == 1
