"""Contacts are known by e-mail or telephone, saved whole or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from kit.errors import Conflict, Invalid, NotFound, Refused
from kit.sql import ids
from services import contacts, fields, lists, memberships, tags

PHONE = "+14032623443"


def told(refusal) -> list[tuple[str, tuple[str, ...]]]:
    return [(p.code, p.path) for p in refusal.value.problems]


async def codes_of(attempts) -> list[str]:
    """What became of attempts made at the same time: OK, or the code of the refusal."""
    answers = await asyncio.gather(*attempts, return_exceptions=True)
    return sorted(answer.problems[0].code if isinstance(answer, Refused) else "OK" for answer in answers)


# ------------------------------------------------------------------------------------------------------------ creating


async def test_ac1_a_contact_with_a_name_only_is_refused(caller, count):
    for values in ({"first_name": "Ann"}, {"email": " ", "phone": "\t"}, {"email": None}):
        with pytest.raises(Invalid) as refusal:
            await contacts.create(values, by=caller)
        assert told(refusal) == [("IDENTIFIER_REQUIRED", ("email",))]
    assert await count("contact") == 0


async def test_a_new_contact_is_stored_tidy_with_one_fact(caller, stored, facts):
    made = await contacts.create(
        {"email": " A.Smith@EXAMPLE.test ", "phone": "(403) 262-3443", "first_name": " Ann ", "last_name": ""},
        by=caller,
    )
    [row] = await stored("contact")
    assert (row["id"], row["email"], row["phone"]) == (made, "A.Smith@example.test", PHONE)
    assert (row["first_name"], row["last_name"], row["full_name"]) == ("Ann", None, "Ann")
    assert (row["lifecycle_stage"], row["created_at"]) == ("SUBSCRIBER", caller.now)
    assert [fact["kind"] for fact in await facts()] == ["CONTACT_CREATED"]


async def test_a_new_contact_comes_with_fields_tags_company_and_lists(caller, stored, facts):
    newsletter = await lists.create("Newsletter", by=caller)
    await fields.create({"name": "tier", "label": "Tier", "type": "TEXT"}, by=caller)
    values = {
        "phone": PHONE,
        "company": "Acme",
        "lifecycle_stage": "LEAD",
        "field_values": [{"name": "TIER", "value": "gold"}],
        "tags": ["vip", "VIP", "new"],
        "memberships": [{"list_id": newsletter, "status": "UNCONFIRMED"}],
    }
    await contacts.create(values, by=caller)
    [row] = await stored("contact")
    [company] = await stored("company")
    [value] = await stored("field_value")
    assert (row["company_id"], company["name"]) == (company["id"], "Acme")
    assert (value["value"], value["text_value"]) == ('"gold"', "gold")
    assert [fact["kind"] for fact in await facts()] == [
        "CONTACT_CREATED",
        "TAG_ADDED",
        "TAG_ADDED",
        "LIST_STATUS_CHANGED",
    ]


async def test_ae4_every_fault_is_told_at_once_and_nothing_is_stored(caller, count):
    await fields.create({"name": "total", "label": "Total", "type": "NUMBER"}, by=caller)
    await fields.create({"name": "must", "label": "Must", "type": "TEXT", "required": True}, by=caller)
    values = {
        "email": "ann@",
        "phone": "12",
        "first_name": "x" * 201,
        "job_title": "a\x00b",
        "lifecycle_stage": "BOSS",
        "field_values": [
            {"name": "total", "value": "12"},
            {"name": "unknown", "value": 1},
            {"name": "TOTAL", "value": 1},
            {"value": 1},
        ],
        "tags": ["fine", "a,b"],
        "memberships": [{"list_id": 10**12}, {"list_id": 2**70}, {"list_id": True}],
    }
    with pytest.raises(Invalid) as refusal:
        await contacts.create(values, by=caller)
    assert set(told(refusal)) == {
        ("EMAIL_INVALID", ("email",)),
        ("PHONE_INVALID", ("phone",)),
        ("TOO_LONG", ("firstName",)),
        ("NUL_CHARACTER", ("jobTitle",)),
        ("INVALID_VALUE", ("lifecycleStage",)),
        ("WRONG_TYPE", ("fieldValues", "0", "value")),
        ("UNKNOWN_FIELD", ("fieldValues", "1", "name")),
        ("DUPLICATE", ("fieldValues", "2", "name")),
        ("UNKNOWN_FIELD", ("fieldValues", "3", "name")),
        ("REQUIRED", ("fieldValues",)),
        ("INVALID_VALUE", ("tags", "1")),
        ("NOT_FOUND", ("memberships", "0", "listId")),
        ("NOT_FOUND", ("memberships", "1", "listId")),
        ("NOT_FOUND", ("memberships", "2", "listId")),
    }
    for table in ("contact", "tag", "event"):
        assert await count(table) == 0


async def test_a_taken_address_is_told_beside_other_faults(caller):
    await contacts.create({"email": "ann@x.test"}, by=caller)
    with pytest.raises(Invalid) as refusal:
        await contacts.create({"email": "ANN@x.test", "tags": ["a,b"]}, by=caller)
    assert told(refusal) == [("INVALID_VALUE", ("tags", "0")), ("EMAIL_TAKEN", ("email",))]
    with pytest.raises(Invalid) as refusal:
        await contacts.create({"email": "ANN@x.test", "phone": "12"}, by=caller)
    assert told(refusal) == [("PHONE_INVALID", ("phone",)), ("EMAIL_TAKEN", ("email",))]


@pytest.mark.parametrize("address", ["ann@", "a b@x.test", '"a@b"@x.test', "a" * 300 + "@x.test", "a\u202e@x.test"])
async def test_what_is_no_address_is_refused(caller, address):
    with pytest.raises(Invalid) as refusal:
        await contacts.create({"email": address, "phone": PHONE}, by=caller)
    assert refusal.value.problems[0].path == ("email",)


async def test_5_2_an_address_belongs_to_one_contact_whatever_its_case(caller):
    await contacts.create({"email": "A@x.test"}, by=caller)
    with pytest.raises(Conflict) as refusal:
        await contacts.create({"email": "a@X.test"}, by=caller)
    assert told(refusal) == [("EMAIL_TAKEN", ("email",))]


async def test_5_2_a_number_belongs_to_one_contact_without_address_and_to_any_with(caller, count):
    await contacts.create({"phone": PHONE}, by=caller)
    await contacts.create({"phone": PHONE, "email": "a@x.test"}, by=caller)
    await contacts.create({"phone": PHONE, "email": "b@x.test"}, by=caller)
    with pytest.raises(Conflict) as refusal:
        await contacts.create({"phone": "403 262 3443"}, by=caller)
    assert told(refusal) == [("PHONE_TAKEN", ("phone",))]
    assert await count("contact") == 3


@pytest.mark.parametrize(
    ("values", "code"), [({"email": "Ann@x.test"}, "EMAIL_TAKEN"), ({"phone": PHONE}, "PHONE_TAKEN")]
)
async def test_5_2_fifty_at_once_make_one_contact(caller, count, values, code):
    codes = await codes_of(contacts.create(values, by=caller) for _ in range(50))
    assert codes == sorted([code] * 49 + ["OK"])
    assert await count("contact") == 1
    assert await count("event") == 1


# ------------------------------------------------------------------------------------------------------------ updating


async def test_an_absent_key_stays_and_none_clears(caller, stored, facts):
    values = {"email": "a@x.test", "phone": PHONE, "first_name": "Ann", "last_name": "Smith", "company": "Acme"}
    made = await contacts.create(values, by=caller)
    later = replace(caller, now=caller.now + timedelta(hours=1))
    await contacts.update(made, {"last_name": None, "first_name": "Anna", "company": None}, by=later)
    [row] = await stored("contact")
    assert (row["email"], row["first_name"], row["last_name"], row["company_id"]) == ("a@x.test", "Anna", None, None)
    assert (row["created_at"], row["updated_at"]) == (caller.now, later.now)
    assert [fact["data"] for fact in await facts("FIELD_CHANGED")] == [
        {"name": "firstName", "from": "Ann", "to": "Anna"},
        {"name": "lastName", "from": "Smith", "to": None},
        {"name": "company", "from": "Acme", "to": None},
    ]


async def test_saving_what_is_there_changes_nothing(caller, stored, facts):
    await fields.create({"name": "total", "label": "Total", "type": "NUMBER"}, by=caller)
    values = {
        "email": "a@x.test",
        "company": "Acme",
        "tags": ["vip"],
        "lifecycle_stage": "LEAD",
        "field_values": [{"name": "total", "value": 40}],
    }
    made = await contacts.create(values, by=caller)
    before, known = await stored("contact"), await facts()
    values |= {"company": "ACME", "field_values": [{"name": "total", "value": 40.0}]}
    await contacts.update(made, values, by=replace(caller, now=caller.now + timedelta(hours=1)))
    assert await stored("contact") == before
    assert await facts() == known


async def test_a_field_changed_is_a_fact_about_that_field_and_moves_the_record(caller, stored, facts):
    total = await fields.create({"name": "invoiceTotal", "label": "Total", "type": "NUMBER"}, by=caller)
    many = await fields.create({"name": "sizes", "label": "S", "type": "LISTBOX", "options": ["s", "m"]}, by=caller)
    made = await contacts.create({"email": "a@x.test"}, by=caller)
    later = replace(caller, now=caller.now + timedelta(hours=1))
    first = [{"name": "invoiceTotal", "value": 39.62}, {"name": "sizes", "value": ["s"]}]
    await contacts.update(made, {"field_values": first}, by=later)
    await contacts.update(made, {"field_values": [{"name": "invoiceTotal", "value": None}]}, by=later)
    assert [(fact["subject"], fact["data"]) for fact in await facts("FIELD_CHANGED")] == [
        (total, {"name": "invoiceTotal", "from": None, "to": 39.62}),
        (many, {"name": "sizes", "from": None, "to": ["s"]}),
        (total, {"name": "invoiceTotal", "from": 39.62, "to": None}),
    ]
    [row] = await stored("contact")
    assert row["updated_at"] == later.now
    [value] = await stored("field_value")
    assert value["field_id"] == many


async def test_hs13_a_stage_changed_is_a_fact_of_its_own(caller, facts):
    made = await contacts.create({"email": "a@x.test"}, by=caller)
    await contacts.update(made, {"lifecycle_stage": "CUSTOMER"}, by=caller)
    [fact] = await facts("LIFECYCLE_CHANGED")
    assert fact["data"] == {"name": "lifecycleStage", "from": "SUBSCRIBER", "to": "CUSTOMER"}
    assert await facts("FIELD_CHANGED") == []


async def test_tags_given_to_an_update_are_the_tags_afterwards(caller, facts):
    made = await contacts.create({"email": "a@x.test", "tags": ["old", "kept"]}, by=caller)
    await contacts.update(made, {"tags": ["Kept", "new"]}, by=caller)
    assert [(f["kind"], f["data"]["tag"]) for f in (await facts())[3:]] == [
        ("TAG_REMOVED", "old"),
        ("TAG_ADDED", "new"),
    ]


async def test_lists_not_named_in_an_update_stay(caller, stored):
    one, other = await lists.create("One", by=caller), await lists.create("Other", by=caller)
    made = await contacts.create(
        {"email": "a@x.test", "memberships": [{"list_id": one}, {"list_id": other}]}, by=caller
    )
    await contacts.update(made, {"memberships": [{"list_id": other, "status": "UNSUBSCRIBED"}]}, by=caller)
    assert {row["list_id"]: row["status"] for row in await stored("membership")} == {
        one: "ACTIVE",
        other: "UNSUBSCRIBED",
    }


async def test_ac1_the_last_identifier_cannot_be_cleared(caller, stored):
    made = await contacts.create({"phone": PHONE}, by=caller)
    with pytest.raises(Invalid) as refusal:
        await contacts.update(made, {"phone": " ", "first_name": "Ann"}, by=caller)
    assert told(refusal) == [("IDENTIFIER_REQUIRED", ("phone",))]
    [row] = await stored("contact")
    assert (row["phone"], row["first_name"]) == (PHONE, None)


async def test_ac11c_a_telephone_contact_can_get_an_address(caller, stored):
    made = await contacts.create({"phone": PHONE}, by=caller)
    await contacts.update(made, {"email": "a@x.test"}, by=caller)
    [row] = await stored("contact")
    assert (row["id"], row["email"], row["phone"]) == (made, "a@x.test", PHONE)


async def test_ae1_an_address_in_use_is_refused(caller):
    await contacts.create({"email": "a@x.test"}, by=caller)
    made = await contacts.create({"email": "b@x.test"}, by=caller)
    with pytest.raises(Conflict) as refusal:
        await contacts.update(made, {"email": "A@x.test", "first_name": "B"}, by=caller)
    assert told(refusal) == [("EMAIL_TAKEN", ("email",))]
    await contacts.update(made, {"email": "B@x.test"}, by=caller)


async def test_5_2_an_address_cannot_be_removed_while_a_telephone_contact_has_the_number(caller):
    await contacts.create({"phone": PHONE}, by=caller)
    made = await contacts.create({"email": "a@x.test", "phone": PHONE}, by=caller)
    with pytest.raises(Conflict) as refusal:
        await contacts.update(made, {"email": None}, by=caller)
    assert told(refusal) == [("PHONE_TAKEN", ("phone",))]


async def test_ae4_a_required_field_cannot_be_cleared_by_a_user(caller, stored):
    await fields.create({"name": "must", "label": "Must", "type": "TEXT", "required": True}, by=caller)
    made = await contacts.create({"email": "a@x.test", "field_values": [{"name": "must", "value": "x"}]}, by=caller)
    with pytest.raises(Invalid) as refusal:
        await contacts.update(made, {"first_name": "A", "field_values": [{"name": "must", "value": " "}]}, by=caller)
    assert told(refusal) == [("REQUIRED", ("fieldValues", "0", "value"))]
    await contacts.update(made, {"first_name": "A"}, by=caller)
    assert (await stored("contact"))[0]["first_name"] == "A"


async def test_ae4_valid_and_invalid_together_store_nothing(caller, stored):
    made = await contacts.create({"email": "a@x.test"}, by=caller)
    with pytest.raises(Invalid):
        await contacts.update(made, {"first_name": "Ann", "tags": ["vip"], "phone": "12"}, by=caller)
    assert (await stored("contact"))[0]["first_name"] is None
    assert await stored("tag") == []


async def test_fifty_at_once_that_want_one_address_leave_it_to_one(caller, people, facts):
    everybody = await people(50)
    codes = await codes_of(contacts.update(one, {"email": "one@x.test"}, by=caller) for one in everybody)
    assert codes == ["EMAIL_TAKEN"] * 49 + ["OK"]
    assert len(await facts()) == 1


async def test_an_unknown_contact_cannot_be_changed_or_deleted(caller):
    for attempt in (contacts.update(10**12, {"first_name": "A"}, by=caller), contacts.delete(10**12, by=caller)):
        with pytest.raises(NotFound) as refusal:
            await attempt
        assert told(refusal) == [("NOT_FOUND", ("id",))]


# ------------------------------------------------------------------------------------------------------------ deleting


async def test_q29_a_deleted_contact_leaves_nothing_behind(caller, count):
    newsletter = await lists.create("Newsletter", by=caller)
    await fields.create({"name": "total", "label": "Total", "type": "NUMBER"}, by=caller)
    values = {
        "field_values": [{"name": "total", "value": 1}],
        "tags": ["vip"],
        "memberships": [{"list_id": newsletter}],
    }
    gone = await contacts.create({"email": "a@x.test", **values}, by=caller)
    stays = await contacts.create({"email": "b@x.test", **values}, by=caller)
    await contacts.delete(gone, by=caller)
    for table in ("contact", "field_value", "contact_tag", "membership"):
        assert await count(table) == 1
    assert await count("event") == await count("pending_event") == 3
    assert (await tags.give(ids([gone, stays]), ["vip"], by=caller)).refused == {"NOT_FOUND": {gone}}
    assert (await memberships.join(ids([stays]), newsletter, by=caller)).unchanged == {stays}
