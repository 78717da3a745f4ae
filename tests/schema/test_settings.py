"""The settings of the account, read and changed through the API."""

from __future__ import annotations

import pytest

from kit import db as database
from kit.sql import Sql
from services import settings

EVERYTHING = """{ settings {
    name timezone defaultCountry phoneOnlyContactsEnabled emailImmutable contactLimit fieldLimit tagLimit listLimit
    segmentLimit createFormFields anonymousName noReplyAddress softBouncesMax contactCount
} }"""
DEFAULTS = {
    "name": "Parcours",
    "timezone": "UTC",
    "defaultCountry": "US",
    "phoneOnlyContactsEnabled": True,
    "emailImmutable": False,
    "contactLimit": None,
    "fieldLimit": None,
    "tagLimit": 250,
    "listLimit": 20,
    "segmentLimit": 5,
    "createFormFields": ["firstName", "lastName", "email"],
    "anonymousName": "Anonymous",
    "noReplyAddress": "no-reply@parcours.invalid",
    "softBouncesMax": 3,
    "contactCount": 0,
}


async def test_a_new_account_has_the_defaults(gql):
    assert (await gql(EVERYTHING))["settings"] == DEFAULTS


async def test_an_admin_changes_what_is_named_and_the_rest_stays(gql):
    changed = {"name": "Shop", "timezone": "Europe/Paris", "defaultCountry": "France", "tagLimit": 300}
    changed |= {"emailImmutable": True, "noReplyAddress": "nobody@shop.test", "listLimit": None}
    await gql.do("updateSettings", "settings { name }", **changed)
    assert (await gql(EVERYTHING))["settings"] == {**DEFAULTS, **changed, "defaultCountry": "FR"}
    read = await settings.read()
    assert (read.tag_limit, read.list_limit, read.email_immutable) == (300, None, True)


async def test_null_gives_a_default_back(gql):
    await gql.do("updateSettings", "settings { name }", softBouncesMax=9, emailImmutable=True, timezone="Asia/Tokyo")
    shown = await gql.do(
        "updateSettings",
        "settings { softBouncesMax emailImmutable timezone }",
        softBouncesMax=None,
        emailImmutable=None,
        timezone=None,
    )
    assert shown["settings"] == {"softBouncesMax": 3, "emailImmutable": False, "timezone": "Asia/Tokyo"}


async def test_every_fault_is_told_at_once_and_nothing_is_kept(gql):
    refused = await gql.refused(
        "updateSettings",
        name="Kept?",
        timezone="Mars/Olympus",
        defaultCountry="Atlantis",
        tagLimit=-1,
        softBouncesMax=0,
        noReplyAddress="nobody",
        createFormFields=["firstName", "shoeSize", "firstname"],
    )
    assert {(error["code"], *error["path"][1:]) for error in refused["errors"]} == {
        ("INVALID_VALUE", "timezone"),
        ("INVALID_VALUE", "defaultCountry"),
        ("OUT_OF_RANGE", "tagLimit"),
        ("OUT_OF_RANGE", "softBouncesMax"),
        ("EMAIL_INVALID", "noReplyAddress"),
        ("UNKNOWN_FIELD", "createFormFields", "1"),
        ("DUPLICATE", "createFormFields", "2"),
    }
    assert (await gql(EVERYTHING))["settings"] == DEFAULTS


async def test_hs7_the_form_by_which_people_are_added_asks_what_the_account_wants(gql):
    await gql.do("createField", "field { id }", name="shoeSize", label="Shoe size", type="NUMBER")
    asked = ["email", "shoeSize", "company"]
    await gql.do("updateSettings", "settings { name }", createFormFields=["email", "SHOESIZE", "company"])
    assert (await gql("{ settings { createFormFields } }"))["settings"]["createFormFields"] == asked
    refused = await gql.refused("createContact", firstName="Name alone")
    assert [error["code"] for error in refused["errors"]] == ["IDENTIFIER_REQUIRED"]


@pytest.fixture
async def opened(db):
    """`await opened("2025-11-02T23:30Z")`: the account is that old."""
    before = await database.value(Sql("SELECT ac.created_at FROM account ac"))
    statement = "UPDATE account SET created_at = {at}::text::timestamptz"

    async def at(instant: str) -> None:
        await database.execute(Sql(statement, at=instant))

    yield at
    await at(before.isoformat())


@pytest.mark.parametrize(
    ("instant", "zone", "counted"),
    [
        ("2025-11-02T23:59:59Z", "UTC", 1),
        ("2025-11-03T00:00:00Z", "UTC", 3),
        ("2025-11-02T23:00:00Z", "Europe/Paris", 3),
        ("2025-11-03T04:59:59Z", "America/New_York", 1),
    ],
)
async def test_ac4_which_contacts_count_depends_on_the_day_the_account_was_made(gql, opened, instant, zone, counted):
    lists = [(await gql.do("createList", "list { id }", name=name))["list"]["id"] for name in "ABC"]
    everywhere = [{"listId": each} for each in lists]
    gone = [{"listId": lists[0], "status": "UNSUBSCRIBED"}]
    await gql.do("createContact", "contact { id }", email="active@x.test", memberships=everywhere)
    await gql.do("createContact", "contact { id }", email="gone@x.test", memberships=gone)
    await gql.do("createContact", "contact { id }", email="free@x.test")
    await opened(instant)
    await gql.do("updateSettings", "settings { name }", timezone=zone)
    assert (await gql("{ settings { contactCount } }"))["settings"] == {"contactCount": counted}
