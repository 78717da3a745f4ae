"""The audit log (S16): every mutation leaves exactly one entry, with names and ids and without values."""

from __future__ import annotations

import asyncpg
import orjson
import pytest
from tortoise.exceptions import OperationalError

from kit import db as database
from kit.sql import Sql
from services import contacts
from services.caller import Role
from tests.schema.test_roles import codes, document, root

ENTRIES = """query ($userId: ID, $operation: String, $subject: ID, $outcome: AuditOutcome, $first: Int) {
    auditLog(userId: $userId, operation: $operation, subject: $subject, outcome: $outcome, first: $first) {
        totalCount
        nodes { id operation subjects inputs outcome codes actor actorLabel user { name } requestId }
    }
}"""


async def entries(gql, **arguments):
    return (await gql(ENTRIES, **arguments))["auditLog"]["nodes"]


async def test_s16_what_is_done_is_entered_once_with_ids_and_names_and_no_values(gql):
    tag = "purple"
    made = await gql.do(
        "createContact", "contact { id }", email="ann@log.test", firstName="Annabella", tags=[tag], phone=None
    )
    contact = made["contact"]["id"]
    [entry] = await entries(gql)
    assert entry.pop("id").startswith("audit_")
    assert entry == {
        "operation": "createContact",
        "subjects": [contact],
        "inputs": ["email", "phone", "firstName", "tags"],
        "outcome": "DONE",
        "codes": [],
        "actor": gql.caller.actor,
        "actorLabel": "Olga Owner",
        "user": {"name": "Olga Owner"},
        "requestId": "request-of-a-test",
    }
    stored = orjson.dumps(await database.rows(Sql("SELECT row_to_json(ae)::text AS row FROM audit_entry ae"))).decode()
    assert not [value for value in ("ann@log.test", "Annabella", tag) if value in stored]


async def test_s16_ids_are_those_given_and_those_answered(gql):
    contact = (await gql.do("createContact", "contact { id }", email="bo@log.test"))["contact"]["id"]
    note = (await gql.do("createNote", "note { id }", contactId=contact, text="contact_77 rang"))["note"]["id"]
    [entry] = await entries(gql, operation="createNote")
    assert entry["subjects"] == [contact, note]
    assert [found["operation"] for found in await entries(gql, subject=contact)] == ["createNote", "createContact"]


async def test_s16_a_refusal_is_entered_once_with_its_codes(gql):
    await gql.do("createContact", "contact { id }", email="cy@log.test")
    await gql.refused("createContact", email="cy@log.test")
    await gql.refused("updateContact", id="marie_1985", email="dora")
    newest, refused, done = await entries(gql)
    assert (newest["outcome"], newest["subjects"], newest["codes"]) == ("REFUSED", [], ["NOT_FOUND"])
    assert (refused["outcome"], refused["codes"], refused["subjects"]) == ("REFUSED", ["EMAIL_TAKEN"], [])
    assert done["outcome"] == "DONE"
    assert len(await entries(gql, outcome="REFUSED")) == 2


async def test_s16_what_a_role_may_not_do_is_entered_once(gql):
    text, variables = document("mutation", "createList")
    await gql.as_(Role.MEMBER).answer(text, **variables)
    await gql.as_(Role.ADMIN).refused("createUser", email="e@log.test", name="E", role="OWNER")
    assert [(entry["operation"], entry["outcome"], entry["codes"]) for entry in await entries(gql)] == [
        ("createUser", "FORBIDDEN", ["FORBIDDEN"]),
        ("createList", "FORBIDDEN", ["FORBIDDEN"]),
    ]


async def test_s16_a_fault_of_ours_is_entered_once(gql, monkeypatch):
    async def breaks(*_, **__):
        raise RuntimeError("no")

    monkeypatch.setattr(contacts, "create", breaks)
    text, variables = document("mutation", "createContact")
    answer = await gql.answer(text, **variables)
    assert answer.errors[0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert [(entry["operation"], entry["outcome"]) for entry in await entries(gql)] == [("createContact", "FAILED")]


@pytest.mark.parametrize("role", Role)
async def test_s16_every_mutation_leaves_exactly_one_entry(gql, role):
    """Made from the schema: also of the mutations that are added tomorrow."""
    api = gql.as_(role)
    for name in root("mutation").fields:
        before = await database.value(Sql("SELECT count(*) FROM audit_entry"))
        text, variables = document("mutation", name)
        answer = await api.answer(text, **variables)
        found = await database.rows(Sql("SELECT ae.* FROM audit_entry ae ORDER BY ae.id DESC LIMIT 2"))
        assert await database.value(Sql("SELECT count(*) FROM audit_entry")) == before + 1, name
        assert found[0]["operation"] == name
        if "FORBIDDEN" in codes(answer.errors):
            assert found[0]["outcome"] == "FORBIDDEN", name


async def test_s16_several_mutations_in_one_request_are_several_entries(gql):
    await gql("""mutation {
        a: createContact(input: {email: "a@log.test"}) { errors { code } }
        b: createContact(input: {email: "a@log.test"}) { errors { code } }
    }""")
    assert [entry["outcome"] for entry in await entries(gql)] == ["REFUSED", "DONE"]


async def test_s16_the_entry_costs_no_statement_of_its_own(gql):
    given = {"email": "f@log.test"}
    with database.counting() as counter:
        await gql.do("createContact", "contact { id }", **given)
    assert sum("audit_entry" in text for text in counter.statements) == 1
    assert "audit_entry" in counter.statements[-1]
    assert "row_to_json" in counter.statements[-1]


@pytest.mark.parametrize(
    "change", ["UPDATE audit_entry SET actor = 'nobody'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
async def test_s16_nobody_can_change_it(gql, change):
    await gql.do("createContact", "contact { id }", email="g@log.test")
    with pytest.raises((OperationalError, asyncpg.PostgresError)):
        await database.execute(Sql(change))
    assert len(await entries(gql)) == 1


async def test_only_admins_read_it(gql):
    await gql.do("createContact", "contact { id }", email="h@log.test")
    [entry] = await entries(gql.as_(Role.ADMIN))
    answer = await gql.as_(Role.MEMBER).answer("{ auditLog { totalCount } }")
    assert answer.errors[0]["extensions"]["code"] == "FORBIDDEN"
    by_id = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await gql.as_(Role.ADMIN)(by_id, id=entry["id"]))["node"] == {"id": entry["id"]}
    assert (await gql.as_(Role.MEMBER)(by_id, id=entry["id"]))["node"] is None
