"""When somebody is deleted, nothing of them is left anywhere; what was sold and counted stays (SQ23–SQ25, Q29, Q30)."""

from __future__ import annotations

import hashlib
import hmac
import io
import logging
import sys

import orjson
import pytest

from kit import db as database
from kit import log
from kit.sql import Sql, join, name
from schema import schema as product
from services.caller import Role
from services.personal_data import PARTS
from tests.stories.life import EARLIER_EMAIL, EMAIL, PHONE, TRACES, Life, lived, tables_of_people

DELETE = "contact { id email }"


@pytest.fixture
def written_to_the_log(monkeypatch):
    """What this process writes to its log meanwhile, at the level of a server at work."""
    written, root = io.StringIO(), logging.getLogger()
    monkeypatch.setattr(sys, "stderr", written)
    handlers, level = root.handlers[:], root.level
    log.start("info", "json")
    yield written.getvalue
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
async def zelda(team, work) -> Life:
    return await lived(team, work)


async def cancel_membership() -> None:
    await database.execute(Sql("UPDATE plan_membership pm SET status = 'CANCELLED'"))


async def erase(gql, life: Life) -> None:
    await cancel_membership()
    await gql.do("deleteContact", DELETE, id=life.contact, confirm=True)


async def places_of(*texts: str) -> set[tuple[str, str]]:
    """Every table, partitions included, that has one of these in a row, and in which form: plain, hex or hashed."""
    forms = {}
    for text in texts:
        for spelled in {text, text.lower()}:
            raw = spelled.encode()
            forms |= {spelled.lower(): text, raw.hex(): text}
            forms |= {made(raw).hexdigest(): text for made in (hashlib.md5, hashlib.sha1, hashlib.sha256)}
    tables = await database.column(
        Sql("SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace")
    )
    searches = [
        Sql(
            "SELECT {name}::text AS place, w.form FROM {table} AS row_ "
            "CROSS JOIN unnest({forms}::text[]) AS w (form) "
            # Four digits alone are in many a time of day and many a random id.
            "WHERE CASE WHEN length(w.form) < 8 "
            "THEN lower(row_::text) ~ ('(?<![0-9a-z.])' || w.form || '(?![0-9a-z])') "
            "ELSE strpos(lower(row_::text), w.form) > 0 END",
            name=table,
            table=name(table),
            forms=list(forms),
        )
        for table in tables
    ]
    assert len(tables) > 40
    return {(row["place"], forms[row["form"]]) for row in await database.rows(join(" UNION ", searches))}


async def test_the_person_of_this_story_is_in_every_table_that_people_are_in(zelda):
    """A table that is made tomorrow makes this fail: let the life have a row in it, so that its end is looked at."""
    for table in await tables_of_people():
        assert await database.value(Sql("SELECT EXISTS (SELECT FROM {table})", table=name(table))), table
    found = await places_of(*TRACES.values())
    assert {trace for _, trace in found} == set(TRACES.values())
    assert len({place for place, _ in found}) >= 11


async def test_sq24_nothing_of_a_deleted_person_is_left_anywhere(gql, zelda, written_to_the_log):
    await gql.refused("createContact", email=EMAIL, firstName="x" * 2_000)
    await gql.refused("updateContact", id=zelda.contact, email=f"{EMAIL}@", phone=PHONE * 9)
    await gql.answer('query ($id: ID) { contact(email: "x", id: $id) { id } }', id=EMAIL)
    log.get("test").info("the log is being read")
    await erase(gql, zelda)
    assert await places_of(*TRACES.values()) == set()
    told = written_to_the_log()
    assert "the log is being read" in told
    assert [trace for trace in TRACES.values() if trace in told] == []
    assert (await gql("query ($id: ID!) { node(id: $id) { id } }", id=zelda.contact))["node"] is None
    assert (await gql("query ($email: String) { contact(email: $email) { id } }", email=EMAIL))["contact"] is None


async def test_sq24_a_mistake_inside_the_server_tells_nothing_of_a_person(gql, zelda, written_to_the_log, monkeypatch):
    async def breaks(*_, **__):
        await database.execute(Sql("INSERT INTO tag (name, created_at) VALUES ({name}::text, NULL)", name=EMAIL))

    monkeypatch.setattr("services.deletion._part", breaks)
    await cancel_membership()
    text = "mutation ($id: ID!) { deleteContact(input: {id: $id, confirm: true}) { errors { code } } }"
    answer = await gql.answer(text, id=zelda.contact)
    assert answer.errors[0]["message"] == "Internal error."
    told = written_to_the_log()
    assert "request failed" in told
    assert [trace for trace in TRACES.values() if trace in told] == []


async def test_sq24_orders_and_gifts_stay_as_nobodys(gql, zelda):
    await gql.do("updateSettings", "settings { name }", anonymousName="Someone", noReplyAddress="nobody@shop.test")
    await erase(gql, zelda)
    [order] = await database.rows(Sql("SELECT * FROM shop_order"))
    assert (order["contact_id"], order["customer_name"], order["customer_email"]) == (
        None,
        "Someone",
        "nobody@shop.test",
    )
    assert (order["billing_address"], order["shipping_address"]) == (None, None)
    assert (order["number"], order["total"]) == ("N-1", 42)
    [gift] = await database.rows(Sql("SELECT dn.contact_id, dn.amount FROM donation dn"))
    assert (gift["contact_id"], gift["amount"]) == (None, 5)
    for table in ("customer_account", "review", "form_submission", "contact_merge", "contact_total", "run", "visit"):
        assert await database.value(Sql("SELECT count(*) FROM {table}", table=name(table))) == 0, table
    exclusions = await database.column(Sql("SELECT ex.value FROM exclusion ex"))
    assert exclusions == ["@elsewhere.test"]


async def test_sq23_who_is_a_member_of_a_plan_is_not_deleted(gql, zelda, rows):
    before = await rows()
    refused = await gql.refused("deleteContact", DELETE, id=zelda.contact, confirm=True)
    assert (refused["contact"], [error["code"] for error in refused["errors"]]) == (None, ["ACTIVE_SUBSCRIPTION"])
    after = await rows()
    assert after.pop("audit_entry") == before.pop("audit_entry") + 1
    assert after == before
    await erase(gql, zelda)


async def test_sq25_a_deletion_is_confirmed_and_of_one_contact(gql, zelda):
    refused = await gql.refused("deleteContact", DELETE, id=zelda.contact, confirm=False)
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [
        ("CONFIRMATION_REQUIRED", ["input", "confirm"])
    ]
    deletions = [field for word, field in product._schema.mutation_type.fields.items() if word.startswith("delete")]
    for field in deletions:
        given = field.args["input"].type.of_type.fields
        assert not [word for word in given if word.endswith("Ids") or word in ("ids", "where", "search")], field


async def test_q29_a_deletion_is_final_and_a_second_one_finds_nobody(gql, zelda):
    await erase(gql, zelda)
    refused = await gql.refused("deleteContact", DELETE, id=zelda.contact, confirm=True)
    assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]


async def test_q30_others_with_the_same_telephone_stay_as_they_are(gql, team, zelda):
    other = await team.contact("other@erasure.test", phone=PHONE, firstName="Olive")
    await erase(gql, zelda)
    found = await gql("query ($id: ID!) { contact(id: $id) { phone firstName } }", id=other)
    assert found["contact"] == {"phone": PHONE, "firstName": "Olive"}


async def test_sq24_the_audit_log_tells_of_the_deletion_and_nothing_else(gql, zelda):
    await erase(gql, zelda)
    query = "query ($id: ID!) { auditLog(subject: $id, first: 1) { nodes { operation outcome inputs } } }"
    found = await gql(query, id=zelda.contact)
    assert found["auditLog"]["nodes"] == [
        {"operation": "deleteContact", "outcome": "DONE", "inputs": ["id", "confirm"]}
    ]


EXPORT = "query ($id: ID!) { exportPersonalData(contactId: $id) }"


async def test_p1_the_export_has_all_that_is_stored_about_a_person(gql, zelda):
    document = (await gql(EXPORT, id=zelda.contact))["exportPersonalData"]
    text = orjson.dumps(document).decode()
    belonging = {trace for trace in TRACES.values() if trace != TRACES["telephone as typed"]}  # of a form nobody sent
    assert {trace for trace in belonging if trace.lower() in text.lower()} == belonging
    assert document["contact"]["email"] == EMAIL
    assert document["contact"]["company"] == "Falcon House"
    assert document["fieldValues"] == [{"field": "nickname", "label": "Nickname", "value": TRACES["custom field"]}]
    assert {tag["tag"] for tag in document["tags"]} == {"vip", "care", "fond"}
    assert [membership["status"] for membership in document["memberships"]] == ["UNSUBSCRIBED", "ACTIVE"]
    assert [run["automation"] for run in document["runs"]] == ["Care"]
    assert {"CONTACT_CREATED", "NOTE_ADDED", "TAG_ADDED"} <= {fact["kind"] for fact in document["activity"]}
    assert [kind for kind, found in document.items() if found == []] == ["suppressions"]


async def test_ac31_a_correction_is_visible_everywhere_at_once(gql, zelda):
    await gql.do("updateContact", "contact { id }", id=zelda.contact, lastName="Corrected", email="right@erasure.test")
    found = await gql(
        """query ($id: ID!, $export: ID!) {
            contact(email: "right@erasure.test") { id fullName }
            contacts(search: "zelda corr", where: {contact: {field: EMAIL, op: CONTAINS, value: "right@"}}) {
                nodes { fullName memberships { contact { fullName } } tasks { nodes { contact { email } } } }
            }
            node(id: $id) { ... on Contact { lastName activity(first: 1) { nodes { kind } } } }
            exportPersonalData(contactId: $export)
        }""",
        id=zelda.contact,
        export=zelda.contact,
    )
    assert found["contact"] == {"id": zelda.contact, "fullName": "Zelda Corrected"}
    [shown] = found["contacts"]["nodes"]
    assert shown["fullName"] == "Zelda Corrected"
    assert shown["memberships"] == [{"contact": {"fullName": "Zelda Corrected"}}] * 2
    assert shown["tasks"]["nodes"] == [{"contact": {"email": "right@erasure.test"}}]
    assert found["node"] == {"lastName": "Corrected", "activity": {"nodes": [{"kind": "FIELD_CHANGED"}]}}
    assert found["exportPersonalData"]["contact"]["fullName"] == "Zelda Corrected"


async def test_p1_every_table_that_people_are_in_is_in_the_export(zelda):
    assert await tables_of_people() <= {part.table for part in PARTS.values()}


async def test_p1_the_export_is_for_admins_and_leaves_an_entry(gql, zelda):
    refused = await gql.as_(Role.MEMBER).answer(EXPORT, id=zelda.contact)
    assert refused.errors[0]["extensions"]["code"] == "FORBIDDEN"
    unknown = await gql.answer(EXPORT, id="contact_1")
    assert unknown.errors[0]["extensions"] == {"reason": "NOT_FOUND", "field": "contactId", "code": "BAD_USER_INPUT"}
    await gql.as_(Role.ADMIN)(EXPORT, id=zelda.contact)
    found = await gql("""{ auditLog(operation: "exportPersonalData") { nodes { outcome inputs subjects } } }""")
    assert [(entry["outcome"], entry["subjects"]) for entry in found["auditLog"]["nodes"]] == [
        ("DONE", [zelda.contact]),
        ("REFUSED", ["contact_1"]),
        ("FORBIDDEN", [zelda.contact]),
    ]


async def standing(gql, contact: str) -> dict[str, str]:
    query = "query ($id: ID!) { contact(id: $id) { memberships { status list { name } } } }"
    found = (await gql(query, id=contact))["contact"]["memberships"]
    return {membership["list"]["name"]: membership["status"] for membership in found}


@pytest.mark.parametrize("address", [EMAIL, EMAIL.upper(), EARLIER_EMAIL, TRACES["gone namesake"]])
async def test_m9_who_left_and_was_deleted_is_not_subscribed_again_by_others(gql, team, zelda, address):
    await erase(gql, zelda)
    again = await team.contact(address, phone=PHONE, memberships=[{"listId": zelda.newsletter}])
    assert await standing(gql, again) == {"Newsletter": "UNSUBSCRIBED"}
    refused = await gql.refused("setMembership", contactId=again, listId=zelda.newsletter, status="ACTIVE")
    assert [error["code"] for error in refused["errors"]] == ["NOT_REACTIVATED"]
    await team.subscribe(again, zelda.texts)  # which she had not left
    assert await standing(gql, again) == {"Newsletter": "UNSUBSCRIBED", "Texts": "ACTIVE"}
    fresh = await team.contact("somebody.else@erasure.test", memberships=[{"listId": zelda.newsletter}])
    assert await standing(gql, fresh) == {"Newsletter": "ACTIVE"}


async def test_m9_the_hash_is_keyed_and_says_why(zelda, gql):
    await erase(gql, zelda)
    secret = bytes(await database.value(Sql("SELECT account.secret FROM account")))
    hers = (EMAIL, EARLIER_EMAIL, TRACES["gone namesake"])
    kept = await database.rows(Sql("SELECT sp.hash, sp.reason FROM suppression sp"))
    expected = [(address, "UNSUBSCRIBED") for address in hers] + [(EMAIL, "EXCLUDED")]
    assert {(bytes(row["hash"]), row["reason"]) for row in kept} == {
        (hmac.new(secret, address.encode(), "sha256").digest(), reason) for address, reason in expected
    }


async def test_m9_who_had_not_left_comes_back_as_anybody(gql, team, zelda):
    await team.subscribe(zelda.contact, zelda.newsletter)
    await database.execute(Sql("DELETE FROM exclusion"))
    await erase(gql, zelda)
    again = await team.contact(EMAIL, memberships=[{"listId": zelda.newsletter}])
    assert await standing(gql, again) == {"Newsletter": "ACTIVE"}
    assert await database.value(Sql("SELECT count(*) FROM suppression")) == 0


async def test_m9_their_own_wish_by_a_form_waits_for_the_link_in_the_mail(gql, team, zelda):
    await erase(gql, zelda)
    form = await gql.do(
        "createForm",
        "form { id }",
        name="Newsletter",
        fields=[{"name": "email", "required": True}],
        marketingBox=True,
        consentWording="Write to me about falcons.",
        actions=[{"subscribe": {"listId": zelda.newsletter}}],
    )
    sent = await gql.do(
        "submitForm",
        "contact { id acceptsMarketing } confirmationUrl",
        formId=form["form"]["id"],
        answers={"email": EMAIL},
        marketing=True,
    )
    assert sent["contact"]["acceptsMarketing"] is False
    assert await standing(gql, sent["contact"]["id"]) == {"Newsletter": "UNCONFIRMED"}
    token = sent["confirmationUrl"].rpartition("/")[2]
    confirmed = await gql.do("confirmMembership", "contact { id acceptsMarketing }", token=token)
    assert confirmed["contact"]["acceptsMarketing"] is True
    again = confirmed["contact"]["id"]
    assert await standing(gql, again) == {"Newsletter": "ACTIVE"}
    await team.subscribe(again, zelda.newsletter, "UNSUBSCRIBED")
    await team.subscribe(again, zelda.newsletter, "ACTIVE")  # what was lifted is lifted for others, too
    assert await standing(gql, again) == {"Newsletter": "ACTIVE"}
    hers = Sql("SELECT sp.reason FROM suppression sp WHERE sp.hash = address_hash({address}::text)", address=EMAIL)
    assert await database.column(hers) == ["EXCLUDED"]
