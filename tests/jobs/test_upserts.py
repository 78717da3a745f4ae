"""Upserts: up to 10,000 contacts in one call, an answer for each row, and a key under which it happens once."""

from __future__ import annotations

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from kit import db as database
from kit.sql import Sql
from services import settings
from web import graphql
from web.envelope import Envelope

RESULTS = "created updated unchanged refused results { row status contactId errors { code path } }"


async def upsert(gql, *rows, **more) -> dict:
    return await gql.do("upsertContacts", RESULTS, contacts=list(rows), **more)


def statuses(payload) -> list[str]:
    return [each["status"] for each in payload["results"]]


async def test_every_row_gets_its_own_answer(gql, team, caller):
    await team.field("points")
    ada = await team.contact("ada@ups.test", firstName="Ada", tags=["old"])
    same = await team.contact("same@ups.test", lastName="Same")
    done = await upsert(
        gql,
        {"email": "ADA@ups.test", "firstName": "Countess", "lastName": None, "tags": ["vip"]},
        {"email": "same@ups.test", "lastName": "Same"},
        {"email": "new@ups.test", "company": "Acme", "fieldValues": [{"name": "points", "value": 3}]},
        {"phone": "+33612345678", "lifecycleStage": "LEAD"},
        {"email": "nonsense", "firstName": "x\u0000", "fieldValues": [{"name": "zzz", "value": 1}]},
        {"firstName": "Nobody"},
        {"email": "New@ups.test", "fieldValues": [{"name": "points", "value": 4}]},
    )
    assert statuses(done) == ["UPDATED", "UNCHANGED", "CREATED", "CREATED", "REFUSED", "REFUSED", "CREATED"]
    assert [done[key] for key in ("created", "updated", "unchanged", "refused")] == [3, 1, 1, 2]
    results = done["results"]
    assert [each["contactId"] for each in results[:2]] == [ada, same]
    assert results[2]["contactId"] == results[6]["contactId"]
    assert {(each["code"], ".".join(each["path"])) for each in results[4]["errors"]} == {
        ("EMAIL_INVALID", "input.contacts.4.email"),
        ("NUL_CHARACTER", "input.contacts.4.firstName"),
        ("UNKNOWN_FIELD", "input.contacts.4.fieldValues.0.name"),
    }
    assert [(each["code"], each["path"][-1]) for each in results[5]["errors"]] == [("IDENTIFIER_REQUIRED", "email")]
    found = await gql(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Contact {"
        " firstName lastName origin company { name } tags { name } fieldValues { value } } } }",
        ids=[ada, results[2]["contactId"]],
    )
    assert [(each["firstName"], each["origin"]) for each in found["nodes"]] == [("Countess", "API"), (None, "API")]
    assert [tag["name"] for tag in found["nodes"][0]["tags"]] == ["old", "vip"]
    assert (found["nodes"][1]["company"], found["nodes"][1]["fieldValues"]) == ({"name": "Acme"}, [{"value": 4}])

    await settings.update({"contact_limit": 5, "phone_only_contacts_enabled": False}, by=caller)
    done = await upsert(gql, {"phone": "+33612345679"}, {"email": "more@ups.test"}, {"email": "most@ups.test"})
    assert [each["errors"][0]["code"] if each["errors"] else None for each in done["results"]] == [
        "PHONE_ONLY_DISABLED",
        None,
        "CONTACT_LIMIT",
    ]


async def test_who_is_known_by_an_id_elsewhere_is_meant(gql, caller):
    async def crm(*rows) -> list[tuple[str, str | None, list[str]]]:
        done = await upsert(gql, *rows, externalSource="crm")
        return [
            (each["status"], each["contactId"], [fault["code"] for fault in each["errors"]]) for each in done["results"]
        ]

    [(_, ada, _), (_, bob, _)] = await crm(
        {"email": "ada@ext.test", "externalId": "1"}, {"email": "bob@ext.test", "externalId": "2"}
    )
    assert await crm(
        {"externalId": "1", "firstName": "Ada"},
        {"email": "bob.new@ext.test", "externalId": "2"},
        {"email": "cid@ext.test", "externalId": "3"},
        {"email": "dot@ext.test", "externalId": "3"},
        {"externalId": "9", "firstName": "Nobody"},
    ) == [
        ("UPDATED", ada, []),
        ("UPDATED", bob, []),
        ("CREATED", (await upsert(gql, {"email": "cid@ext.test"}))["results"][0]["contactId"], []),
        ("REFUSED", None, ["DUPLICATE"]),
        ("REFUSED", None, ["IDENTIFIER_REQUIRED"]),
    ]
    assert await crm({"email": "ada@ext.test", "externalId": "2"}) == [("UNCHANGED", ada, ["EXTERNAL_ID_TAKEN"])]
    of_another = await upsert(gql, {"externalId": "1"}, externalSource="shop")
    assert statuses(of_another) == ["REFUSED"]
    found = await gql("query ($id: ID!) { contact(id: $id) { email } }", id=bob)
    assert found["contact"]["email"] == "bob.new@ext.test"
    refused = await gql.refused("upsertContacts", contacts=[{"email": "x@ext.test"}], externalSource="\u0000")
    assert refused["errors"][0]["path"] == ["input", "externalSource"]
    assert (await crm({"email": "x@ext.test", "externalId": "\ud800"}))[0][::2] == ("REFUSED", ["INVALID_CHARACTER"])
    await settings.update({"email_immutable": True}, by=caller)
    assert await crm({"email": "b@ext.test", "externalId": "2"}) == [("REFUSED", None, ["EMAIL_IMMUTABLE"])]


async def test_a_key_is_used_once(gql):
    first = await upsert(gql, {"email": "k@ups.test"}, idempotencyKey="one")
    assert await upsert(gql, {"email": "k@ups.test"}, idempotencyKey="one") == first
    assert statuses(await upsert(gql, {"email": "k@ups.test"}, idempotencyKey="two")) == ["UNCHANGED"]
    refused = await gql.refused("upsertContacts", "created", contacts=[{"email": "l@ups.test"}], idempotencyKey="one")
    assert [(each["code"], each["path"][-1]) for each in refused["errors"]] == [
        ("IDEMPOTENCY_MISMATCH", "idempotencyKey")
    ]
    assert await database.value(Sql("SELECT count(*) FROM contact")) == 1
    for contacts, key in (([], None), ([{"email": "l@ups.test"}], ""), ([{"email": "l@ups.test"}], "x" * 256)):
        refused = await gql.refused("upsertContacts", "created", contacts=contacts, idempotencyKey=key)
        assert refused["errors"], key


@pytest.fixture
async def web(gql):
    token = (await gql.do("createToken", "secret", name="upsert"))["secret"]
    app = Starlette(routes=graphql.routes(), middleware=[Middleware(Envelope)])
    headers = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://parcours", headers=headers
    ) as client:
        yield client


async def test_ten_thousand_go_in_one_request_and_nothing_else_is_so_large(web):
    query = "mutation ($input: UpsertContactsInput!) { upsertContacts(input: $input) { created errors { code } } }"
    rows = [{"email": f"p{n}@ups.test", "firstName": "x" * 80, "tags": ["all"]} for n in range(10_000)]
    answer = await web.post("/graphql", json={"query": query, "variables": {"input": {"contacts": rows}}}, timeout=30)
    assert answer.json() == {"data": {"upsertContacts": {"created": 10_000, "errors": []}}}
    assert await database.value(Sql("SELECT count(*) FROM contact_tag")) == 10_000
    too_many = {"query": query, "variables": {"input": {"contacts": [*rows, {"email": "p@ups.test"}]}}}
    assert "at most 10,000" in (await web.post("/graphql", json=too_many)).text
    other = {"query": "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", "variables": {"ids": ["x" * 1_000_000]}}
    assert (await web.post("/graphql", json=other)).status_code == 413
