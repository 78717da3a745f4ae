"""Gifts, plan memberships, reviews and customer accounts, as a shop tells them; and what that makes of a contact."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kit import db as database
from kit.sql import Sql
from services import confirmations
from workflows import dispatch

CARD = """
    id roles hasAccount acceptsMarketing
    customer { totalSpent hasAccount }
    donor { totalGiven giftCount firstGiftAt lastGiftAt }
    member { since memberships { plan { name } status } }
    subscriber { lists { name } firstSubscribedAt source }
    planMemberships { status startedAt endedAt }
    reviews { rating text product occurredAt }
    donations { totalCount nodes { amount currency occurredAt } }
    customerAccount { payment { brand lastDigits } billingAddress { city } shippingAddress { city } }
"""
PLAN = "planMembership { id status startedAt endedAt confirmedAt plan { name paid activeCount } contact { id } }"
ACCOUNT = "customerAccount { id externalId payment { brand lastDigits } billingAddress { city } contact { id } }"
Y2021, Y2022, Y2023 = (f"{year}-03-01T00:00:00+00:00" for year in (2021, 2022, 2023))


@pytest.fixture
async def ann(gql) -> str:
    return (await gql.do("createContact", "contact { id }", email="ann@shop.test"))["contact"]["id"]


@pytest.fixture
def card(gql) -> Any:
    async def read(email: str = "ann@shop.test") -> Any:
        return (await gql(f"query ($e: String) {{ contact(email: $e) {{ {CARD} }} }}", e=email))["contact"]

    return read


@pytest.fixture
def kinds(gql) -> Any:
    """The kinds of facts about a contact, the newest first."""

    async def read(contact: str) -> list[str]:
        query = "query ($id: ID) { contact(id: $id) { activity { nodes { kind } } } }"
        return [fact["kind"] for fact in (await gql(query, id=contact))["contact"]["activity"]["nodes"]]

    return read


@pytest.fixture
def gift(gql) -> Any:
    async def tell(external_id: str, amount: float, **told: Any) -> Any:
        given = await gql.do(
            "recordDonation", "donation { id amount contact { id } }", externalId=external_id, amount=amount, **told
        )
        return given["donation"]

    return tell


@pytest.fixture
def membership(gql) -> Any:
    async def tell(external_id: str, plan: str = "Gold", **told: Any) -> Any:
        return (await gql.do("recordPlanMembership", PLAN, externalId=external_id, plan=plan, **told))["planMembership"]

    return tell


# --------------------------------------------------------------------------------------------------------------- roles


async def test_sq1_one_contact_in_all_roles_at_once(gql, card, gift, membership, ann):
    news = await gql.do("createList", "list { id }", name="News")
    await gql.do("recordOrder", "order { id }", externalId="1", total=5, email="ann@shop.test")
    await gql.do("setMembership", "membership { id }", contactId=ann, listId=news["list"]["id"], status="ACTIVE")
    assert (await card())["roles"] == ["CUSTOMER", "SUBSCRIBER"]
    await gift("1", 5, contactId=ann)
    await membership("1", contactId=ann)
    assert (await card())["roles"] == ["CUSTOMER", "SUBSCRIBER", "MEMBER", "DONOR"]
    assert (await gql("{ contacts { totalCount } }"))["contacts"]["totalCount"] == 1


async def test_sq3_a_card_is_null_where_the_role_is_absent(gql, card, ann):
    found = await card()
    assert (found["roles"], found["hasAccount"]) == ([], False)
    assert [found[role] for role in ("customer", "donor", "member", "subscriber", "customerAccount")] == [None] * 5
    news = await gql.do("createList", "list { id }", name="News")
    put = {"contactId": ann, "listId": news["list"]["id"]}
    await gql.do("setMembership", "membership { id }", **put, status="ACTIVE", source="CONTACT")
    subscriber = (await card())["subscriber"]
    assert (subscriber["lists"], subscriber["source"]) == ([{"name": "News"}], "CONTACT")
    first = subscriber["firstSubscribedAt"]
    await gql.do("setMembership", "membership { id }", **put, status="UNSUBSCRIBED")
    assert ((await card())["subscriber"], (await card())["roles"]) == (None, [])
    await gql.do("setMembership", "membership { id }", **put, status="ACTIVE")
    assert (await card())["subscriber"]["firstSubscribedAt"] == first


# ----------------------------------------------------------------------------------------------------------- donations


async def test_sq14_what_was_given_when_and_how_often_is_kept_true(card, gift, kinds, ann):
    made = await gift("1", 20.5, contactId=ann, occurredAt=Y2022)
    await gift("2", 5, contactId=ann, occurredAt=Y2021, currency="usd")
    assert await gift("1", 20.5, contactId=ann, occurredAt=Y2022) == made
    assert (await card())["donor"] == {
        "totalGiven": 25.5,
        "giftCount": 2,
        "firstGiftAt": Y2021,
        "lastGiftAt": Y2022,
    }
    await gift("1", 10)
    assert (await card())["donor"]["totalGiven"] == 15
    assert (await card())["donations"] == {
        "totalCount": 2,
        "nodes": [
            {"amount": 10, "currency": None, "occurredAt": Y2022},
            {"amount": 5, "currency": "USD", "occurredAt": Y2021},
        ],
    }
    assert sorted(await kinds(ann)) == ["CONTACT_CREATED", "DONATION", "DONATION", "DONATION_CHANGED"]


async def test_a_gift_is_more_than_nothing(gql, ann):
    for amount in (0, -5):
        refused = await gql.refused("recordDonation", externalId="1", contactId=ann, amount=amount)
        assert [(error["code"], error["path"][-1]) for error in refused["errors"]] == [("OUT_OF_RANGE", "amount")]


# --------------------------------------------------------------------------------------------------------------- plans


async def test_sq13_a_membership_starts_and_ends(card, membership, kinds, ann):
    made = await membership("1", contactId=ann, startedAt=Y2021)
    assert (made["plan"], made["status"]) == ({"name": "Gold", "paid": True, "activeCount": 1}, "ACTIVE")
    assert (await membership("1", "GOLD"))["id"] == made["id"]
    await membership("2", "Silver", contactId=ann, startedAt=Y2022)
    found = await card()
    assert found["member"]["since"] == Y2021
    assert [each["plan"]["name"] for each in found["member"]["memberships"]] == ["Gold", "Silver"]

    ended = await membership("1", status="CANCELLED", endedAt=Y2023)
    assert (ended["endedAt"], ended["plan"]["activeCount"]) == (Y2023, 0)
    assert await membership("1", status="CANCELLED") == ended
    assert (await card())["member"]["since"] == Y2022
    assert (await membership("2", "Silver", status="EXPIRED"))["endedAt"] is not None
    found = await card()
    assert (found["member"], found["roles"]) == (None, [])
    assert [each["status"] for each in found["planMemberships"]] == ["CANCELLED", "EXPIRED"]
    assert (await membership("1", status="ACTIVE"))["endedAt"] is None
    assert sorted(await kinds(ann)) == ["CONTACT_CREATED", *["MEMBERSHIP_ENDED"] * 2, *["MEMBERSHIP_STARTED"] * 3]


async def test_a_membership_cannot_end_before_it_starts(gql, ann):
    told = {"externalId": "1", "contactId": ann, "plan": " ", "startedAt": Y2022, "endedAt": Y2021}
    refused = await gql.refused("recordPlanMembership", **told, status="CANCELLED")
    found = {(error["code"], error["path"][-1]) for error in refused["errors"]}
    assert found == {("REQUIRED", "plan"), ("OUT_OF_RANGE", "endedAt")}
    assert (await gql("{ plans { name } }"))["plans"] == []


async def test_twenty_members_at_once_make_one_plan(gql, membership):
    await asyncio.gather(*(membership(str(number), email=f"{number}@shop.test") for number in range(20)))
    assert (await gql("{ plans { name paid activeCount } }"))["plans"] == [
        {"name": "Gold", "paid": True, "activeCount": 20}
    ]


@pytest.mark.parametrize("account_first", [True, False])
async def test_sq16_a_paid_plan_with_an_account_accepts_marketing(gql, card, membership, kinds, ann, account_first):
    if account_first:
        await gql.do("createCustomerAccount", ACCOUNT, contactId=ann)
        assert not (await card())["acceptsMarketing"]
        await membership("1", contactId=ann)
    else:
        await membership("1", contactId=ann)
        assert not (await card())["acceptsMarketing"]
        await gql.do("createCustomerAccount", ACCOUNT, contactId=ann)
    assert (await card())["acceptsMarketing"]
    await membership("2", "Silver", contactId=ann)
    assert (await kinds(ann)).count("MARKETING_GRANTED") == 1


async def test_sq16_a_free_plan_accepts_marketing_once_it_is_confirmed(gql, card, membership, kinds, ann, caller):
    await gql.do("createCustomerAccount", ACCOUNT, contactId=ann)
    told = {"externalId": "1", "plan": "Free", "contactId": ann, "paid": False}
    url = (await gql.do("recordPlanMembership", "confirmationUrl", **told))["confirmationUrl"]
    assert (await gql.do("recordPlanMembership", "confirmationUrl", **told))["confirmationUrl"] == url
    assert not (await card())["acceptsMarketing"]
    await confirmations.confirm(url.rpartition("/")[2], by=caller)
    assert (await card())["acceptsMarketing"]
    assert (await gql.do("recordPlanMembership", "confirmationUrl", **told))["confirmationUrl"] is None
    assert (await membership("1", "Free"))["confirmedAt"] is not None
    assert (await kinds(ann)).count("MARKETING_GRANTED") == 1


async def test_who_revoked_marketing_does_not_get_it_back_by_paying(gql, card, membership, ann, caller):
    await database.execute(Sql("UPDATE contact SET marketing_revoked_at = {now}", now=caller.now))
    await gql.do("createCustomerAccount", ACCOUNT, contactId=ann)
    await membership("1", contactId=ann)
    assert not (await card())["acceptsMarketing"]


# -------------------------------------------------------------------------------------------------------- reviews


async def test_a_review_is_kept_once_and_its_words_are_not_in_the_activity(gql, card, ann):
    told = {"externalId": "1", "contactId": ann, "rating": 5, "text": "Lovely\nsongs", "product": "Album"}
    for _ in range(2):
        await gql.do("recordReview", "review { id }", **told, occurredAt=Y2021)
    await gql.do("recordReview", "review { id }", externalId="1", rating=4)
    assert (await card())["reviews"] == [
        {"rating": 4, "text": "Lovely\nsongs", "product": "Album", "occurredAt": Y2021}
    ]
    facts = await gql("query ($id: ID) { contact(id: $id) { activity { nodes { kind data } } } }", id=ann)
    assert [(fact["kind"], fact["data"]) for fact in facts["contact"]["activity"]["nodes"] if fact["data"]] == [
        ("REVIEW_CHANGED", {"review": "1", "rating": 4, "product": "Album", "changed": ["rating"]}),
        ("REVIEW", {"review": "1", "rating": 5, "product": "Album"}),
    ]


# ------------------------------------------------------------------------------------------------- customer accounts


async def test_sq9_an_account_is_marked_on_the_contact(gql, card, kinds, ann):
    made = await gql.do(
        "createCustomerAccount",
        ACCOUNT,
        contactId=ann,
        externalId="u1",
        payment={"brand": "Visa", "lastDigits": "4242"},
        billingAddress={"city": "Oslo"},
    )
    again = await gql.do("createCustomerAccount", ACCOUNT, email="ann@shop.test", shippingAddress={"city": "Bergen"})
    assert again == made
    found = await card()
    assert found["hasAccount"]
    assert found["customerAccount"] == {
        "payment": {"brand": "Visa", "lastDigits": "4242"},
        "billingAddress": {"city": "Oslo"},
        "shippingAddress": {"city": "Bergen"},
    }
    assert await kinds(ann) == ["ACCOUNT_CREATED", "CONTACT_CREATED"]
    taken = await gql.refused("createCustomerAccount", email="bob@shop.test", externalId="u1")
    assert [(error["code"], error["path"][-1]) for error in taken["errors"]] == [("EXTERNAL_ID_TAKEN", "externalId")]
    assert await card("bob@shop.test") is None


async def test_whole_numbers_of_cards_are_refused(gql, ann):
    card = {"brand": "Visa", "lastDigits": "4242424242424242"}
    refused = await gql.refused("createCustomerAccount", contactId=ann, payment=card)
    assert [(error["code"], error["path"][1:]) for error in refused["errors"]] == [
        ("INVALID_VALUE", ["payment", "lastDigits"])
    ]


async def test_sq24_deleting_only_the_account_keeps_the_contact(gql, card, kinds, ann):
    await gql.do("recordOrder", "order { id }", externalId="1", total=5, contactId=ann)
    await gql.do(
        "createCustomerAccount",
        ACCOUNT,
        contactId=ann,
        payment={"brand": "Visa"},
        billingAddress={"city": "Oslo"},
        shippingAddress={"city": "Oslo"},
    )
    unsure = await gql.refused("deleteCustomerAccount", contactId=ann, confirm=False)
    assert [error["code"] for error in unsure["errors"]] == ["CONFIRMATION_REQUIRED"]
    await gql.do("deleteCustomerAccount", "contact { id hasAccount }", contactId=ann, confirm=True)
    found = await card()
    assert (found["hasAccount"], found["customerAccount"]) == (False, None)
    assert found["customer"] == {"totalSpent": 5, "hasAccount": False}
    assert await database.value(Sql("SELECT count(*) FROM customer_account")) == 0
    assert "ACCOUNT_DELETED" in await kinds(ann)
    gone = await gql.refused("deleteCustomerAccount", contactId=ann, confirm=True)
    assert [error["code"] for error in gone["errors"]] == ["NOT_FOUND"]


# ------------------------------------------------------------------------------------------------------------ triggers


async def test_gifts_and_memberships_let_into_automations(gql, gift, membership, ann, caller):
    for name, trigger in (
        ("Thanks", {"donation": {"minimum": 10}}),
        ("Hello", {"membershipStarted": {"plan": "gold"}}),
    ):
        made = await gql.do(
            "createAutomation",
            "automation { id }",
            name=name,
            triggers=[{"on": trigger}],
            steps=[{"id": "a", "do": {"end": {}}}],
        )
        await gql.do("activateAutomation", "automation { id }", id=made["automation"]["id"])
    await gift("1", 9.99, contactId=ann)
    await gift("2", 12.5, contactId=ann)
    await membership("1", "Silver", contactId=ann)
    await membership("1", "Gold")
    await membership("1", "Gold")
    while await dispatch.pass_(caller.now + timedelta(seconds=5)):
        pass
    found = await gql("query ($id: ID) { contact(id: $id) { runs { nodes { entry { label } } } } }", id=ann)
    assert sorted(run["entry"]["label"] for run in found["contact"]["runs"]["nodes"]) == [
        "Became a member of Gold",
        "Gave 12.5",
    ]
