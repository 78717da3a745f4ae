"""What an account's settings forbid about contacts, by whichever way they come."""

from __future__ import annotations

import asyncio

import pytest

from kit import db as database
from kit.sql import Sql, ids
from services import contacts


async def settings(gql, **changed) -> None:
    await gql.do("updateSettings", "settings { name }", **changed)


def codes(payload) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"][1:]) for error in payload["errors"]]


async def number() -> int:
    return await database.value(Sql("SELECT count(*) FROM contact"))


async def test_ac3_nobody_is_known_by_a_phone_alone_where_that_is_switched_off(gql):
    await settings(gql, phoneOnlyContactsEnabled=False)
    refused = await gql.refused("createContact", phone="+14032623443")
    assert (codes(refused), await number()) == ([("PHONE_ONLY_DISABLED", ["email"])], 0)
    both = await gql.do("createContact", "contact { id }", phone="+14032623443", email="both@x.test")
    assert codes(await gql.refused("updateContact", id=both["contact"]["id"], email=None)) == [
        ("PHONE_ONLY_DISABLED", ["email"])
    ]
    await settings(gql, phoneOnlyContactsEnabled=None)
    shown = await gql.do("createContact", "contact { kind }", phone="+14032623444")
    assert shown["contact"] == {"kind": "PHONE_ONLY"}


async def test_ac3_a_set_of_contacts_keeps_its_addresses(gql, caller):
    await settings(gql, phoneOnlyContactsEnabled=False)
    made = await contacts.create({"email": "a@x.test", "phone": "+14032623443"}, by=caller)
    outcome = await contacts.set_field(ids([made]), "email", "CLEAR", None, by=caller)
    assert outcome.refused == {"PHONE_ONLY_DISABLED": {made}}


async def test_q2_an_address_stays_where_the_account_wants_that(gql, caller):
    made = (await gql.do("createContact", "contact { id }", email="a@x.test", phone="+14032623443"))["contact"]["id"]
    await settings(gql, emailImmutable=True)
    for address in ("b@x.test", None):
        refused = await gql.refused("updateContact", id=made, email=address, firstName="Not kept")
        assert codes(refused) == [("EMAIL_IMMUTABLE", ["email"])]
    shown = await gql.do("updateContact", "contact { email firstName }", id=made, email="A@x.test", firstName="Ann")
    assert shown["contact"] == {"email": "A@x.test", "firstName": "Ann"}
    one = int(made.removeprefix("contact_"))
    for op, value in (("SET", "b@x.test"), ("CLEAR", None)):
        outcome = await contacts.set_field(ids([one]), "email", op, value, by=caller)
        assert outcome.refused == {"EMAIL_IMMUTABLE": {one}}
    phone_only = (await gql.do("createContact", "contact { id }", phone="+14032623444"))["contact"]["id"]
    first = await gql.do("updateContact", "contact { email }", id=phone_only, email="first@x.test")
    assert first["contact"] == {"email": "first@x.test"}


async def test_q16_beyond_the_limit_nobody_is_created_and_updates_go_on(gql):
    made = (await gql.do("createContact", "contact { id }", email="1@x.test"))["contact"]["id"]
    await settings(gql, contactLimit=2)
    await gql.do("createContact", "contact { id }", email="2@x.test")
    assert codes(await gql.refused("createContact", email="3@x.test")) == [("CONTACT_LIMIT", [])]
    await gql.do("updateContact", "contact { id }", id=made, firstName="One")
    await gql.do("deleteContact", "contact { id }", id=made, confirm=True)
    await gql.do("createContact", "contact { id }", email="3@x.test")
    assert await number() == 2


async def test_q16_the_limit_holds_for_many_at_once(gql):
    await settings(gql, contactLimit=3)
    payloads = await asyncio.gather(*(gql.refused("createContact", email=f"{n}@x.test") for n in range(8)))
    assert await number() == 3
    assert sorted(len(payload["errors"]) for payload in payloads) == [0] * 3 + [1] * 5


@pytest.mark.parametrize("origin", ["MANUAL", "API", "CHECKOUT"])
async def test_hs1_how_a_contact_came_to_be_known_is_kept(gql, origin):
    given = {} if origin == "API" else {"origin": origin}
    made = await gql.do("createContact", "contact { id origin }", email="a@x.test", **given)
    assert made["contact"]["origin"] == origin
    later = await gql.do("updateContact", "contact { origin }", id=made["contact"]["id"], firstName="Ann")
    assert later["contact"] == {"origin": origin}
