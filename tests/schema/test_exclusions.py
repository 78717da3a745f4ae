"""Exclusions: to whom no e-mail goes, whatever their lists say (AC29)."""

from __future__ import annotations

import pytest

from kit import db as database
from kit.sql import Sql
from services import exclusions

SHOWN = """query ($id: ID!) { contact(id: $id) {
    excluded memberships { status excluded list { name } }
} }"""


def told(payload, what: str = "errors") -> list[tuple[str, str]]:
    return [(each["code"], ".".join(each["path"][1:])) for each in payload[what]]


@pytest.fixture
async def lists(gql):
    return {name: (await gql.do("createList", "list { id }", name=name))["list"]["id"] for name in ("News", "Offers")}


@pytest.fixture
def on_both(gql, lists):
    """`await on_both("a@x.test")`: a contact who is active on both lists."""

    async def contact(email: str, **more) -> str:
        given = {"email": email, "memberships": [{"listId": each} for each in lists.values()], **more}
        return (await gql.do("createContact", "contact { id }", **given))["contact"]["id"]

    return contact


async def seen(gql, contact: str) -> tuple[bool, dict[str, bool]]:
    shown = (await gql(SHOWN, id=contact))["contact"]
    assert {each["status"] for each in shown["memberships"]} <= {"ACTIVE"}
    return shown["excluded"], {each["list"]["name"]: each["excluded"] for each in shown["memberships"]}


@pytest.mark.parametrize(
    ("kind", "value", "address", "hit"),
    [
        ("EXACTLY", "Ann@Bad.test", "ann@bad.test", True),
        ("EXACTLY", "ann@bad.test", "joann@bad.test", False),
        ("BEGINS_WITH", "noreply", "NoReply-7@good.test", True),
        ("BEGINS_WITH", "noreply", "my.noreply@good.test", False),
        ("ENDS_WITH", "@bad.test", "Somebody@BAD.test", True),
        ("ENDS_WITH", "@bad.test", "somebody@notbad.test", False),
        ("ENDS_WITH", "bad.test", "somebody@notbad.test", True),
        ("ENDS_WITH", "@ba_.test", "somebody@bad.test", False),
        ("BEGINS_WITH", "%", "somebody@bad.test", False),
    ],
)
async def test_ac29_an_address_is_hit_exactly_by_its_beginning_or_by_its_end(gql, on_both, kind, value, address, hit):
    contact = await on_both(address)
    assert await seen(gql, contact) == (False, {"News": False, "Offers": False})
    made = await gql.do("createExclusion", "exclusion { value lists { name } }", kind=kind, value=value)
    assert made["exclusion"] == {"value": value.lower(), "lists": []}
    assert await seen(gql, contact) == (hit, {"News": hit, "Offers": hit})


async def test_ac29_the_scope_can_be_some_lists(gql, lists, on_both, caller):
    contact = await on_both("ann@bad.test")
    number = int(contact.removeprefix("contact_"))
    offers = int(lists["Offers"].removeprefix("list_"))
    made = await gql.do(
        "createExclusion",
        "exclusion { id lists { name } createdBy { name } }",
        kind="ENDS_WITH",
        value="@bad.test",
        listIds=[lists["Offers"], lists["Offers"]],
        reason="They asked",
    )
    assert made["exclusion"]["lists"] == [{"name": "Offers"}]
    assert made["exclusion"]["createdBy"] == {"name": "Olga Owner"}
    assert await seen(gql, contact) == (False, {"News": False, "Offers": True})
    everyone = Sql("SELECT c.id FROM contact c")
    assert await database.column(exclusions.excluded(everyone)) == []
    assert await database.column(exclusions.excluded(everyone, [offers])) == [number]
    await gql.do("deleteExclusion", "exclusion { id }", id=made["exclusion"]["id"])
    assert await seen(gql, contact) == (False, {"News": False, "Offers": False})
    assert told(await gql.refused("deleteExclusion", id=made["exclusion"]["id"])) == [("NOT_FOUND", "id")]


async def test_ac29_who_has_no_address_is_not_excluded(gql, lists):
    await gql.do("createExclusion", "exclusion { id }", kind="BEGINS_WITH", value="a")
    made = await gql.do("createContact", "contact { excluded }", phone="+14032623443")
    assert made["contact"] == {"excluded": False}


async def test_q27_the_end_of_a_domain_without_its_at_sign_is_warned_of(gql):
    warned = await gql.refused("createExclusion", "warnings { code message path }", kind="ENDS_WITH", value="bad.test")
    assert (told(warned), told(warned, "warnings")) == ([], [("INVALID_VALUE", "value")])
    assert "@bad.test" in warned["warnings"][0]["message"]
    for kind, value in (("ENDS_WITH", "@bad.test"), ("BEGINS_WITH", "bad")):
        quiet = await gql.do("createExclusion", "warnings { code }", kind=kind, value=value)
        assert quiet["warnings"] == []


async def test_what_no_address_can_be_is_refused(gql, lists):
    for kind, value, code in (
        ("EXACTLY", "bad.test", "EMAIL_INVALID"),
        ("BEGINS_WITH", "a b", "EMAIL_INVALID"),
        ("ENDS_WITH", "  ", "REQUIRED"),
    ):
        assert told(await gql.refused("createExclusion", kind=kind, value=value)) == [(code, "value")]
    unknown = await gql.refused("createExclusion", kind="EXACTLY", value="a@b.test", listIds=["list_999999"])
    assert told(unknown) == [("NOT_FOUND", "listIds.0")]


async def test_an_exclusion_is_there_once_for_each_scope(gql, lists):
    given = {"kind": "EXACTLY", "value": "a@b.test"}
    await gql.do("createExclusion", "exclusion { id }", **given)
    assert told(await gql.refused("createExclusion", kind="EXACTLY", value="A@B.test")) == [("DUPLICATE", "value")]
    scoped = {**given, "listIds": list(lists.values())}
    await gql.do("createExclusion", "exclusion { id }", **scoped)
    again = {**given, "listIds": list(reversed(lists.values()))}
    assert told(await gql.refused("createExclusion", **again)) == [("DUPLICATE", "value")]
    shown = (await gql('{ exclusions(search: "B.T") { totalCount nodes { lists { name } } } }'))["exclusions"]
    assert shown == {"totalCount": 2, "nodes": [{"lists": [{"name": "News"}, {"name": "Offers"}]}, {"lists": []}]}
