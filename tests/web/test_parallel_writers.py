"""Fifty callers write the same thing at once, through HTTP: the rules of the record hold for every one of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from kit import db as database
from kit.sql import Sql
from web import graphql
from web.envelope import Envelope

WRITERS = 50


@pytest.fixture
async def writer(token: str) -> AsyncIterator[Any]:
    """`await writer("createContact", email=…)`: one mutation by a request of its own; the codes of its refusal."""
    app = Starlette(routes=graphql.routes())
    app.add_middleware(Envelope)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x", headers=headers) as client:

        async def write(mutation: str, **given: Any) -> list[str]:
            kind = mutation[0].upper() + mutation[1:]
            query = f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ errors {{ code }} }} }}"
            answer = await client.post("/graphql", json={"query": query, "variables": {"input": given}}, timeout=30)
            assert answer.status_code == 200, answer.text
            assert "errors" not in answer.json(), answer.text
            return [error["code"] for error in answer.json()["data"][mutation]["errors"]]

        yield write


async def count(table: str) -> int:
    return await database.value(Sql("SELECT count(*) FROM {table}", table=Sql(table)))


async def at_once(*requests: Any) -> Counter[str]:
    """How often each outcome came; "" is success."""
    return Counter("+".join(codes) for codes in await asyncio.gather(*requests))


async def test_one_of_fifty_gets_the_address(writer):
    spellings = ["ann@x.test", "Ann@X.test", "ANN@x.TEST", " ann@x.test "]
    told = await at_once(*(writer("createContact", email=spellings[n % 4]) for n in range(WRITERS)))
    assert told == {"": 1, "EMAIL_TAKEN": WRITERS - 1}
    assert await count("contact") == 1
    assert await count("event") == 1


async def test_one_of_fifty_gets_the_number(writer):
    told = await at_once(*(writer("createContact", phone="+33612345678") for _ in range(WRITERS)))
    assert told == {"": 1, "PHONE_TAKEN": WRITERS - 1}
    assert await count("contact") == 1


async def test_of_fifty_who_want_one_address_one_changes(writer):
    made = [await writer("createContact", email=f"a{n}@x.test") for n in range(WRITERS)]
    assert made == [[]] * WRITERS
    ids = await database.column(Sql("SELECT c.id FROM contact c"))
    told = await at_once(*(writer("updateContact", id=f"contact_{id}", email="one@x.test") for id in ids))
    assert told == {"": 1, "EMAIL_TAKEN": WRITERS - 1}


async def test_nobody_loses_both_identifiers_by_two_halves(writer):
    """One clears the e-mail address while another clears the number: never both."""
    for n in range(WRITERS // 2):
        await writer("createContact", email=f"a{n}@x.test", phone=f"+336123456{n:02}")
    ids = await database.column(Sql("SELECT c.id FROM contact c"))
    halves = [{"email": None}, {"phone": None}]
    told = await at_once(*(writer("updateContact", id=f"contact_{id}", **half) for id in ids for half in halves))
    assert told == {"": WRITERS // 2, "IDENTIFIER_REQUIRED": WRITERS // 2}


async def test_fifty_new_contacts_make_one_tag_one_company_and_each_a_fact(writer):
    told = await at_once(
        *(writer("createContact", email=f"a{n}@x.test", tags=["VIP", "vip"], company="Acme") for n in range(WRITERS))
    )
    assert told == {"": WRITERS}
    assert (await count("tag"), await count("company"), await count("contact_tag")) == (1, 1, WRITERS)
    facts = await database.rows(Sql("SELECT e.kind, count(*) AS n FROM event e GROUP BY e.kind"))
    assert {row["kind"]: row["n"] for row in facts} == {"CONTACT_CREATED": WRITERS, "TAG_ADDED": WRITERS}


async def test_a_tag_given_fifty_times_at_once_is_given_once(writer):
    await writer("createContact", email="ann@x.test")
    [ann] = await database.column(Sql("SELECT c.id FROM contact c"))
    told = await at_once(*(writer("addTags", contactId=f"contact_{ann}", tags=["vip"]) for _ in range(WRITERS)))
    assert told == {"": WRITERS}
    assert await database.value(Sql("SELECT count(*) FROM event e WHERE e.kind = 'TAG_ADDED'")) == 1


async def test_fifty_entries_at_once_keep_the_policy_and_the_numbers(writer):
    await writer("createContact", email="ann@x.test")
    [ann] = await database.column(Sql("SELECT c.id FROM contact c"))
    steps = [{"id": "rest", "do": {"waitFor": {"duration": {"days": 1}}}}]
    for policy in ("ANY", "AFTER_EXIT", "ONCE"):
        assert await writer("createAutomation", name=policy, entryPolicy=policy, triggers=[], steps=steps) == []
    journeys = await database.rows(Sql("SELECT a.id, a.name FROM automation a"))
    for journey in journeys:
        pair = {"contactId": f"contact_{ann}", "automationId": f"automation_{journey['id']}"}
        await writer("activateAutomation", id=pair["automationId"])
        told = await at_once(*(writer("enterAutomation", **pair) for _ in range(WRITERS)))
        once = {"": 1, "ENTRY_NOT_ALLOWED": WRITERS - 1}
        assert told == ({"": WRITERS} if journey["name"] == "ANY" else once)
        numbers = await database.column(
            Sql(
                "SELECT r.entry_number FROM run r WHERE r.automation_id = {id}::bigint ORDER BY r.entry_number",
                id=journey["id"],
            )
        )
        assert numbers == list(range(1, told[""] + 1))
