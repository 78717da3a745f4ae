"""What a shop tells of orders: each is written down once, and the totals of its contact are true."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kit import db as database
from kit.sql import Sql
from workflows import dispatch

ORDER = """
    order {
        id contact { id email } externalSource externalId number status total currency physical
        items { name quantity price } customerName customerEmail
        billingAddress { name line1 line2 city region postalCode country phone } shippingAddress { city }
        occurredAt createdAt updatedAt
    }
"""
CARD = """
    id email firstName lastName roles
    customer { totalSpent orderCount firstOrderAt lastOrderAt hasAccount }
    donor { totalGiven } member { since } subscriber { firstSubscribedAt }
"""
LONG_AGO = "2021-01-01T00:00:00+00:00"
OSLO = {"line1": "Ullevålsveien 14", "city": "Oslo", "country": "Norway", "postalCode": "0171"}


@pytest.fixture
async def ann(gql) -> str:
    made = await gql.do(
        "createContact", "contact { id }", email="ann@shop.test", firstName="Ann", lastName="Smith", tags=["vip"]
    )
    return made["contact"]["id"]


@pytest.fixture
def order(gql) -> Any:
    """Tells of an order; the answer."""

    async def tell(external_id: str = "1", **told: Any) -> Any:
        told = {"externalSource": "shop", "externalId": external_id, "total": 10, **told}
        return (await gql.do("recordOrder", ORDER, **told))["order"]

    return tell


@pytest.fixture
def card(gql) -> Any:
    async def read(email: str = "ann@shop.test") -> Any:
        return (await gql(f"query ($e: String) {{ contact(email: $e) {{ {CARD} }} }}", e=email))["contact"]

    return read


async def activity(gql, contact: str, *kinds: str) -> list[dict[str, Any]]:
    found = await gql(
        """query ($id: ID, $kinds: [ActivityKind!]) {
            contact(id: $id) { activity(kinds: $kinds) { nodes { kind at recordedAt actor data } } }
        }""",
        id=contact,
        kinds=list(kinds) or None,
    )
    return found["contact"]["activity"]["nodes"]


async def test_an_order_is_kept_as_it_was_told(order, ann):
    made = await order(
        contactId=ann,
        number="2021-7",
        total=13.86,
        currency="nok",
        physical=True,
        occurredAt=LONG_AGO,
        billingAddress=OSLO,
        items=[{"name": "Album", "quantity": 2, "price": 6.5}, {"name": "Song"}],
    )
    assert (made["contact"]["id"], made["total"], made["currency"]) == (ann, 13.86, "NOK")
    assert (made["number"], made["status"], made["physical"]) == ("2021-7", "COMPLETE", True)
    assert (made["customerName"], made["customerEmail"]) == ("Ann Smith", "ann@shop.test")
    assert made["billingAddress"] == {**dict.fromkeys(["name", "line2", "region", "phone"]), **OSLO}
    assert made["shippingAddress"] is None
    assert made["items"] == [
        {"name": "Album", "quantity": 2, "price": 6.5},
        {"name": "Song", "quantity": 1, "price": None},
    ]
    assert made["occurredAt"] == LONG_AGO < made["createdAt"]


async def test_sq12_what_was_spent_when_and_how_often_is_kept_true(order, card, ann):
    assert ((await card())["customer"], (await card())["roles"]) == (None, [])
    await order("1", contactId=ann, total=10.1, occurredAt="2022-05-01T00:00:00Z")
    await order("2", contactId=ann, total=20.2, occurredAt=LONG_AGO)
    await order("3", contactId=ann, total=5, occurredAt="2023-05-01T00:00:00Z")
    assert (await card())["customer"] == {
        "totalSpent": 35.3,
        "orderCount": 3,
        "firstOrderAt": LONG_AGO,
        "lastOrderAt": "2023-05-01T00:00:00+00:00",
        "hasAccount": False,
    }
    assert (await card())["roles"] == ["CUSTOMER"]
    for status, left in (("CANCELLED", 2), ("COMPLETE", 3), ("REFUNDED", 2)):
        await order("3", total=5, status=status)
        assert (await card())["customer"]["orderCount"] == left
    assert (await card())["customer"]["lastOrderAt"] == "2022-05-01T00:00:00+00:00"


async def test_without_an_order_totals_are_null_and_not_zero(order, card, ann):
    """domain.md 3.3: a filter on what was spent is for customers."""
    await order("1", contactId=ann, total=0)
    assert (await card())["customer"]["totalSpent"] == 0
    await order("1", total=0, status="CANCELLED")
    assert (await card())["customer"] is None
    totals = await database.row(Sql("SELECT tt.total_spent, tt.order_count, tt.last_order_at FROM contact_total tt"))
    assert totals == {"total_spent": None, "order_count": 0, "last_order_at": None}


async def test_told_twice_nothing_changes_and_no_fact_is_made(gql, order, ann):
    told = {"contactId": ann, "total": 9.99, "occurredAt": LONG_AGO, "billingAddress": OSLO, "items": [{"name": "A"}]}
    first, second = [await order("7", **told) for _ in range(2)]
    assert second == first
    assert [fact["kind"] for fact in await activity(gql, ann, "PURCHASE", "ORDER_CHANGED")] == ["PURCHASE"]
    assert (await gql("{ orders { totalCount } }"))["orders"]["totalCount"] == 1


async def test_told_otherwise_the_order_is_brought_up_to_date(gql, order, card, ann):
    made = await order("7", contactId=ann, total=9.99, number="7", billingAddress=OSLO)
    changed = await order("7", total=8, billingAddress=None)
    assert (changed["id"], changed["total"], changed["number"]) == (made["id"], 8, "7")
    assert (changed["billingAddress"], changed["contact"]["id"]) == (None, ann)
    assert (await card())["customer"]["totalSpent"] == 8
    change, purchase = await activity(gql, ann, "PURCHASE", "ORDER_CHANGED")
    assert (purchase["data"]["total"], change["data"]["total"]) == (9.99, 8)
    assert change["data"]["changed"] == ["total", "billingAddress"]


async def test_a_purchase_of_the_past_is_a_fact_of_the_past(gql, order, ann):
    await order(contactId=ann, occurredAt=LONG_AGO, currency="EUR", number="N1")
    [fact] = await activity(gql, ann, "PURCHASE")
    assert fact["at"] == LONG_AGO < fact["recordedAt"]
    assert fact["data"] == {"order": "1", "number": "N1", "total": 10, "currency": "EUR", "status": "COMPLETE"}
    assert (await activity(gql, ann))[-1]["kind"] == "PURCHASE"  # newest first, and it is the oldest


async def test_an_order_counts_as_a_purchase_once_whatever_becomes_of_it(gql, order, ann):
    await order(contactId=ann, status="CANCELLED")
    assert [fact["kind"] for fact in await activity(gql, ann, "PURCHASE", "ORDER_CHANGED")] == ["ORDER_CHANGED"]
    for status in ("COMPLETE", "REFUNDED", "COMPLETE"):
        await order(status=status)
    assert len(await activity(gql, ann, "PURCHASE")) == 1


async def test_sq1_an_unknown_address_makes_a_contact_by_the_checkout(gql, order, card):
    made = await order(email=" New@Shop.test ", customerName="Luís Gonçalves de Sá", total=5)
    assert made["customerEmail"] == "New@shop.test"
    found = await card("new@shop.test")
    assert (found["firstName"], found["lastName"]) == ("Luís Gonçalves de", "Sá")
    assert (found["roles"], found["customer"]["totalSpent"]) == (["CUSTOMER"], 5)
    assert await database.value(Sql("SELECT c.origin FROM contact c")) == "CHECKOUT"
    again = await order("2", email="NEW@shop.test")
    assert again["contact"]["id"] == made["contact"]["id"]


async def test_a_shop_is_not_stopped_by_a_required_field(gql, order):
    await gql.do("createField", "field { id }", name="size", label="Size", type="TEXT", required=True)
    assert (await order(email="new@shop.test"))["contact"]["email"] == "new@shop.test"


async def test_an_order_that_moves_to_another_contact_takes_its_worth_along(gql, order, card, ann):
    await order("1", contactId=ann, total=10, billingAddress=OSLO)
    await order("2", contactId=ann, total=1)
    moved = await order("1", email="bob@shop.test", total=10)
    assert (moved["customerEmail"], moved["customerName"], moved["billingAddress"]) == ("bob@shop.test", None, None)
    assert (await card())["customer"]["totalSpent"] == 1
    assert (await card("bob@shop.test"))["customer"]["totalSpent"] == 10
    for contact in (ann, moved["contact"]["id"]):
        [fact] = await activity(gql, contact, "ORDER_CHANGED")
        assert "contactId" in fact["data"]["changed"]


async def test_the_order_of_somebody_deleted_stays_and_stays_nobodys(gql, order, ann):
    await order("1", contactId=ann, total=10, billingAddress=OSLO)
    await gql.do("deleteContact", "contact { id }", id=ann, confirm=True)
    told_again = await order("1", email="ann@shop.test", total=12, customerName="Ann Smith", billingAddress=OSLO)
    assert (told_again["contact"], told_again["total"]) == (None, 12)
    assert (await gql("{ contacts { totalCount } }"))["contacts"]["totalCount"] == 0


async def test_every_fault_is_told_at_once(gql, ann):
    refused = await gql.refused(
        "recordOrder",
        externalId=" ",
        contactId="contact_999999",
        email="ann@shop.test",
        total=-1,
        currency="EURO",
        occurredAt="2999-01-01T00:00:00Z",
        billingAddress={"city": "a\u0007b"},
        items=[{"name": "A"}, {"name": " ", "price": 0.00001}],
    )
    assert {(error["code"], ".".join(error["path"][1:])) for error in refused["errors"]} == {
        ("REQUIRED", "externalId"),
        ("NOT_FOUND", "contactId"),
        ("INVALID_VALUE", "email"),
        ("OUT_OF_RANGE", "total"),
        ("INVALID_VALUE", "currency"),
        ("OUT_OF_RANGE", "occurredAt"),
        ("INVALID_CHARACTER", "billingAddress.city"),
        ("REQUIRED", "items.1.name"),
        ("OUT_OF_RANGE", "items.1.price"),
    }
    assert (await gql("{ orders { totalCount } }"))["orders"]["totalCount"] == 0


async def test_a_new_order_is_somebodys(gql):
    refused = await gql.refused("recordOrder", externalId="1", total=1)
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("REQUIRED", ["input", "contactId"])]
    refused = await gql.refused("recordOrder", externalId="1", total=1, email="nobody")
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("EMAIL_INVALID", ["input", "email"])]


async def test_twenty_who_tell_the_same_at_once_make_one_order_of_one_contact(gql, order, card):
    """The fact and the totals, too."""
    await asyncio.gather(*(order("1", email="new@shop.test", total=4) for _ in range(20)))
    assert (await gql("{ orders { totalCount } contacts { totalCount } }")) == {
        "orders": {"totalCount": 1},
        "contacts": {"totalCount": 1},
    }
    found = await card("new@shop.test")
    assert found["customer"] | {"firstOrderAt": 0, "lastOrderAt": 0} == {
        "totalSpent": 4,
        "orderCount": 1,
        "firstOrderAt": 0,
        "lastOrderAt": 0,
        "hasAccount": False,
    }
    assert len(await activity(gql, found["id"], "PURCHASE")) == 1


async def test_twenty_orders_at_once_are_all_counted(order, card):
    await asyncio.gather(*(order(str(number), email="new@shop.test", total=number) for number in range(20)))
    customer = (await card("new@shop.test"))["customer"]
    assert (customer["orderCount"], customer["totalSpent"]) == (20, sum(range(20)))


async def test_orders_are_read_newest_first_of_one_contact_or_by_their_id(gql, order, ann):
    for number, year in ((1, 2022), (2, 2020), (3, 2024)):
        await order(str(number), contactId=ann, occurredAt=f"{year}-01-01T00:00:00Z")
    await order("4", email="bob@shop.test")
    query = """query ($id: ID) {
        contact(id: $id) { orders(first: 2) { nodes { externalId } pageInfo { hasNextPage endCursor } totalCount } }
        orders(contactId: $id) { nodes { externalId } }
        one: orders(externalSource: "shop", externalId: "2") { nodes { externalId } }
        none: orders(externalId: "2") { nodes { externalId } }
        cancelled: orders(status: CANCELLED) { totalCount }
    }"""
    found = await gql(query, id=ann)
    page = found["contact"]["orders"]
    assert ([node["externalId"] for node in page["nodes"]], page["totalCount"]) == (["3", "1"], 3)
    assert page["pageInfo"]["hasNextPage"]
    assert [node["externalId"] for node in found["orders"]["nodes"]] == ["3", "1", "2"]
    assert [node["externalId"] for node in found["one"]["nodes"]] == ["2"]
    assert (found["none"]["nodes"], found["cancelled"]["totalCount"]) == ([], 0)


async def test_a_purchase_lets_into_an_automation(gql, order, ann, caller):
    """Whenever it was made: what counts is when we heard of it."""
    made = await gql.do(
        "createAutomation",
        "automation { id }",
        name="Thanks",
        triggers=[{"on": {"purchase": {"minimum": 50}}}],
        steps=[{"id": "a", "do": {"end": {}}}],
    )
    await gql.do("activateAutomation", "automation { id }", id=made["automation"]["id"])
    await order("1", contactId=ann, total=49.99)
    await order("2", contactId=ann, total=50, occurredAt=LONG_AGO, currency="EUR")
    await order("3", contactId=ann, total=90, status="CANCELLED")
    while await dispatch.pass_(caller.now + timedelta(seconds=5)):
        pass
    found = await gql("query ($id: ID) { contact(id: $id) { runs { nodes { entry { label } } } } }", id=ann)
    assert found["contact"]["runs"]["nodes"] == [{"entry": {"label": "Bought for 50 EUR"}}]


async def test_a_contact_is_found_by_the_id_of_another_system(gql):
    known = {"externalSource": "chinook", "externalId": "7"}
    made = await gql.do("createContact", "contact { id externalSource externalId }", email="a@x.test", **known)
    assert made["contact"].items() >= known.items()
    query = "query ($s: String, $id: String) { contact(externalSource: $s, externalId: $id) { id } }"
    assert (await gql(query, s="chinook", id="7"))["contact"] == {"id": made["contact"]["id"]}
    assert (await gql(query, s="other", id="7"))["contact"] is None
    assert (await gql(query, id="7"))["contact"] is None
    taken = await gql.refused("createContact", email="b@x.test", **known)
    assert [(error["code"], error["path"][-1]) for error in taken["errors"]] == [("EXTERNAL_ID_TAKEN", "externalId")]
    await gql.do("updateContact", "contact { id }", id=made["contact"]["id"], externalId="8")
    assert (await gql(query, s="chinook", id="8"))["contact"] == {"id": made["contact"]["id"]}
