"""Forms through the API: who a submission is (domain.md 5.2), what is kept of it, what it does."""

from __future__ import annotations

from typing import Any

import pytest

from kit import db as database
from kit.sql import Sql

CONTACT = "contact { id kind email phone firstName origin tags { name } fieldValues { field { name } value } }"


@pytest.fixture
async def form(gql) -> str:
    """A form that asks for everything and gives a tag."""
    await gql.do("createField", "field { id }", name="shirt", label="Shirt", type="TEXT")
    return await make(gql, actions=[{"addTag": {"tag": "sent"}}])


async def make(gql, **more: Any) -> str:
    names = ["email", "phone", "firstName", "shirt"]
    fields = more.pop("fields", [{"name": name} for name in names])
    made = await gql.do("createForm", "form { id }", **{"name": "Newsletter", "fields": fields, **more})
    return made["form"]["id"]


async def person(gql, **values: Any) -> str:
    return (await gql.do("createContact", "contact { id }", **values))["contact"]["id"]


async def send(gql, form: str, selection: str = CONTACT, **answers: Any) -> Any:
    return (await gql.do("submitForm", selection, formId=form, answers=answers))["contact"]


async def contacts(gql) -> dict[str, tuple[str | None, str | None]]:
    """Everybody by id: the address and the number."""
    found = (await gql("{ contacts(first: 500) { nodes { id email phone } } }"))["contacts"]["nodes"]
    return {each["id"]: (each["email"], each["phone"]) for each in found}


async def codes(gql, form: str, **answers: Any) -> set[tuple[str, str]]:
    refused = await gql.refused("submitForm", "contact { id }", formId=form, answers=answers)
    assert refused["contact"] is None
    return {(error["code"], ".".join(error["path"])) for error in refused["errors"]}


# ------------------------------------------------------------------------------------------------- who it is (5.2)

ANN, NEW = "+14032623443", "+14032623444"


async def test_ac6_a_new_address_makes_a_contact(gql, form):
    made = await send(gql, form, email="ann@forms.test", firstName="Ann", shirt="M")
    assert (made["kind"], made["firstName"], made["origin"]) == ("EMAIL_ONLY", "Ann", "FORM")
    assert made["fieldValues"] == [{"field": {"name": "shirt"}, "value": "M"}]


async def test_ac7_q7_a_known_address_is_the_same_person_however_it_is_written(gql, form):
    ann = await person(gql, email="ann@forms.test", firstName="A.")
    found = await send(gql, form, email=" ANN@Forms.test ", firstName="Ann")
    assert (found["id"], found["firstName"], found["email"]) == (ann, "Ann", "ann@forms.test")
    assert len(await contacts(gql)) == 1


async def test_ac8_a_new_number_makes_a_contact_without_address(gql, form):
    made = await send(gql, form, phone="(403) 262-3443")
    assert (made["kind"], made["phone"]) == ("PHONE_ONLY", ANN)


async def test_ac9_a_number_of_somebody_without_address_is_that_person(gql, form):
    ann = await person(gql, phone=ANN)
    found = await send(gql, form, phone="403-262-3443", firstName="Ann")
    assert (found["id"], found["firstName"]) == (ann, "Ann")
    assert len(await contacts(gql)) == 1


async def test_ac10_a_number_of_somebody_with_address_is_somebody_else(gql, form):
    ann = await person(gql, email="ann@forms.test", phone=ANN)
    other = await send(gql, form, phone=ANN, firstName="Bob")
    assert await contacts(gql) == {ann: ("ann@forms.test", ANN), other["id"]: (None, ANN)}
    assert (await send(gql, form, phone=ANN))["id"] == other["id"]


async def test_ac11a_both_new(gql, form):
    assert (await send(gql, form, email="ann@forms.test", phone=ANN))["kind"] == "EMAIL_AND_PHONE"


async def test_ac11b_a_new_address_with_the_number_of_somebody_with_address(gql, form):
    ann = await person(gql, email="ann@forms.test", phone=ANN)
    bob = await send(gql, form, email="bob@forms.test", phone=ANN)
    assert await contacts(gql) == {ann: ("ann@forms.test", ANN), bob["id"]: ("bob@forms.test", ANN)}


async def test_ac11c_a_new_address_for_the_number_of_somebody_without(gql, form):
    ann = await person(gql, phone=ANN)
    found = await send(gql, form, email="ann@forms.test", phone=ANN)
    assert (found["id"], found["kind"]) == (ann, "EMAIL_AND_PHONE")
    assert await contacts(gql) == {ann: ("ann@forms.test", ANN)}


async def test_ac11d_a_new_number_for_a_known_address(gql, form):
    ann = await person(gql, email="ann@forms.test", phone=ANN)
    assert (await send(gql, form, email="ann@forms.test", phone=NEW))["id"] == ann
    assert await contacts(gql) == {ann: ("ann@forms.test", NEW)}


async def test_ac11e_known_identifiers_stay_and_the_rest_is_taken(gql, form):
    ann = await person(gql, email="ann@forms.test", phone=ANN)
    found = await send(gql, form, email="ann@forms.test", phone=ANN, shirt="L")
    assert (found["id"], found["phone"], found["fieldValues"][0]["value"]) == (ann, ANN, "L")
    assert found["tags"] == [{"name": "sent"}]


async def test_q5_a_known_address_does_not_take_the_number_of_somebody_else(gql, form):
    ann = await person(gql, email="ann@forms.test")
    bob = await person(gql, phone=ANN, firstName="Bob")
    found = await send(gql, form, email="ann@forms.test", phone=ANN, firstName="Anna")
    assert (found["id"], found["firstName"]) == (ann, "Anna")
    assert await contacts(gql) == {ann: ("ann@forms.test", None), bob: (None, ANN)}


async def test_q6_of_two_with_the_number_the_one_without_address_gets_the_new_one(gql, form):
    ann = await person(gql, email="ann@forms.test", phone=ANN)
    bob = await person(gql, phone=ANN)
    assert (await send(gql, form, email="bob@forms.test", phone=ANN))["id"] == bob
    assert await contacts(gql) == {ann: ("ann@forms.test", ANN), bob: ("bob@forms.test", ANN)}


async def test_ac3_no_contacts_by_telephone_alone_where_the_account_wants_none(gql, form):
    await gql.do("updateSettings", "settings { name }", phoneOnlyContactsEnabled=False)
    assert await codes(gql, form, phone=ANN) == {("PHONE_ONLY_DISABLED", "input.answers.email")}
    assert await contacts(gql) == {}
    assert (await send(gql, form, email="ann@forms.test", phone=ANN))["kind"] == "EMAIL_AND_PHONE"


async def test_ac4_somebody_on_three_lists_counts_once(gql):
    lists = [(await gql.do("createList", "list { id }", name=name))["list"]["id"] for name in ("A", "B", "C")]
    ann = await person(gql, email="ann@forms.test", memberships=[{"listId": each} for each in lists])
    assert (await gql("{ settings { contactCount } }"))["settings"]["contactCount"] == 1
    await gql.do("unsubscribeFromMarketing", "contact { id }", contactId=ann, confirm=True)
    assert (await gql("{ settings { contactCount } }"))["settings"]["contactCount"] == 1
    await database.execute(Sql("UPDATE account SET created_at = '2025-11-02T12:00:00Z'"))
    try:
        assert (await gql("{ settings { contactCount } }"))["settings"]["contactCount"] == 0
    finally:
        await database.execute(Sql("UPDATE account SET created_at = now()"))
