"""Rules of the record that belong to no single noun, each through the API and named after its id."""

from __future__ import annotations

from typing import Any

import pytest

from workflows import dispatch, engine

CONTACT = "contact { id email phone kind tags { name } memberships { status source sourceDetail subscribedAt } }"


@pytest.fixture
async def news(gql: Any) -> str:
    return (await gql.do("createList", "list { id }", name="News"))["list"]["id"]


async def emails(gql: Any, where: dict[str, Any]) -> list[str]:
    data = await gql(
        "query ($where: ConditionInput) { contacts(where: $where, sort: [{by: EMAIL}]) { nodes { email } } }",
        where=where,
    )
    return [node["email"] for node in data["contacts"]["nodes"]]


async def work(gql: Any) -> None:
    """The workers come by until nothing is left to do."""
    from kit import clock

    while await dispatch.pass_(await clock.now()) + await engine.pass_(await clock.now()):
        pass


async def test_q4_a_phone_is_unique_among_contacts_without_an_address_and_shared_by_those_with_one(gql):
    phone = "+33612345678"
    for number in range(2):
        await gql.do("createContact", CONTACT, email=f"{number}@record.test", phone=phone)
    await gql.do("createContact", CONTACT, phone=phone)

    again = await gql.refused("createContact", "contact { id }", phone="06 12 34 56 78".replace("06", "+33 6"))
    assert again["errors"][0]["code"] == "PHONE_TAKEN"
    assert again["errors"][0]["path"] == ["input", "phone"]


async def test_q8_what_a_user_does_is_manual_and_what_somebody_else_wished_is_said(gql, news):
    made = (await gql.do("createContact", CONTACT, email="ann@record.test", memberships=[{"listId": news}]))["contact"]
    assert [each["source"] for each in made["memberships"]] == ["MANUAL"]

    given = {"contactId": made["id"], "listId": news}
    await gql.do("setMembership", "membership { id }", **given, status="UNSUBSCRIBED", source="CONTACT")
    back = await gql.do("setMembership", "membership { source }", **given, status="ACTIVE", source="UNKNOWN")
    assert back["membership"]["source"] == "UNKNOWN"


async def test_q11_who_is_brought_in_without_permission_is_unconfirmed_and_gets_no_marketing(gql, news):
    made = await gql.do(
        "createContact",
        "contact { acceptsMarketing memberships { status } }",
        email="ann@record.test",
        memberships=[{"listId": news}],
        acceptsMarketing=False,
    )
    assert made["contact"] == {"acceptsMarketing": False, "memberships": [{"status": "UNCONFIRMED"}]}


async def test_sq10_subscribers_by_list_and_by_the_day_they_came_both_borders_included(gql, news):
    await gql.do("createContact", CONTACT, email="ann@record.test", memberships=[{"listId": news}])
    await gql.do("createContact", CONTACT, email="bob@record.test")
    today = (await gql('{ contact(email: "ann@record.test") { memberships { subscribedAt } } }'))["contact"]
    day = today["memberships"][0]["subscribedAt"][:10]

    accepts = {"contact": {"field": "ACCEPTS_MARKETING", "op": "IS", "value": True}}
    assert await emails(gql, accepts) == ["ann@record.test"]
    assert await emails(gql, {"membership": {"listId": news}}) == ["ann@record.test"]
    for op, found in (("ON_OR_BEFORE", 1), ("ON_OR_AFTER", 1), ("BEFORE", 0), ("AFTER", 0)):
        when = {"membership": {"listId": news, "subscribedAt": {"op": op, "value": day}}}
        assert len(await emails(gql, when)) == found, op


async def test_ae3_every_general_detail_is_written_and_read(gql):
    details = {
        "email": "ann@record.test",
        "phone": "+33612345678",
        "firstName": "Ann",
        "lastName": "Lee",
        "jobTitle": "Baker",
    }
    await gql.do("createField", "field { id }", name="shoe", label="Shoe", type="NUMBER")
    made = await gql.do(
        "createContact",
        "contact { email phone firstName lastName jobTitle company { name } fieldValues { field { name } value } }",
        **details,
        company="Acme",
        fieldValues=[{"name": "shoe", "value": 38.5}],
    )
    values = [{"field": {"name": "shoe"}, "value": 38.5}]
    assert made["contact"] == {**details, "company": {"name": "Acme"}, "fieldValues": values}


async def test_ae5_a_tag_that_is_there_is_added_once_and_told_once(gql):
    ann = (await gql.do("createContact", CONTACT, email="ann@record.test"))["contact"]["id"]
    for name in ("VIP", " vip ", "Vip"):
        await gql.do("addTags", CONTACT, contactId=ann, tags=[name])

    data = await gql(
        """query ($id: ID!) {
             contact(id: $id) { tags { name } activity(kinds: [TAG_ADDED]) { totalCount } }
             tags { nodes { name contactCount } }
           }""",
        id=ann,
    )
    assert data["contact"] == {"tags": [{"name": "VIP"}], "activity": {"totalCount": 1}}
    assert data["tags"]["nodes"] == [{"name": "VIP", "contactCount": 1}]
    comma = await gql.refused("addTags", "contact { id }", contactId=ann, tags=["a,b"])
    assert comma["errors"][0]["path"] == ["input", "tags", "0"]


async def test_ae6_removing_a_tag_leaves_the_tag_itself(gql):
    ann = (await gql.do("createContact", CONTACT, email="ann@record.test", tags=["vip"]))["contact"]["id"]
    gone = await gql.do("removeTags", CONTACT, contactId=ann, tags=["VIP"])

    assert gone["contact"]["tags"] == []
    assert (await gql("{ tags { nodes { name contactCount } } }"))["tags"]["nodes"] == [
        {"name": "vip", "contactCount": 0}
    ]


async def test_ae7_a_tag_makes_a_segment_and_starts_an_automation(gql):
    segment = await gql.do("createSegment", "segment { id count }", name="Best", where={"tag": {"hasAny": ["vip"]}})
    assert segment["segment"]["count"] == 0
    made = await gql.do(
        "createAutomation",
        "automation { id }",
        name="Greet",
        triggers=[{"on": {"tagAdded": {"tag": "vip"}}}],
        steps=[{"id": "note", "do": {"addNote": {"text": "Hello"}}}],
    )
    await gql.do("activateAutomation", "automation { id }", id=made["automation"]["id"])

    await gql.do("createContact", CONTACT, email="ann@record.test", tags=["vip"])
    await work(gql)

    data = await gql(
        """query ($id: ID!) {
             segment(id: $id) { count }
             contact(email: "ann@record.test") { notes { nodes { text } } }
           }""",
        id=segment["segment"]["id"],
    )
    assert data == {"segment": {"count": 1}, "contact": {"notes": {"nodes": [{"text": "Hello"}]}}}


async def test_hs3_a_custom_field_starts_an_automation_and_is_set_by_one(gql):
    for name in ("wish", "answer"):
        await gql.do("createField", "field { id }", name=name, label=name, type="TEXT")
    made = await gql.do(
        "createAutomation",
        "automation { id }",
        name="Answer",
        triggers=[{"on": {"fieldChanged": {"name": "wish", "to": "tea"}}}],
        steps=[{"id": "set", "do": {"setField": {"name": "answer", "value": "yes"}}}],
    )
    await gql.do("activateAutomation", "automation { id }", id=made["automation"]["id"])
    ann = (await gql.do("createContact", CONTACT, email="ann@record.test"))["contact"]["id"]

    for wish in ("coffee", "tea"):
        await gql.do("updateContact", CONTACT, id=ann, fieldValues=[{"name": "wish", "value": wish}])
        await work(gql)

    data = await gql(
        "query ($id: ID!) { contact(id: $id) { fieldValues { field { name } value } runs { totalCount } } }", id=ann
    )
    assert data["contact"]["runs"]["totalCount"] == 1
    assert {each["field"]["name"]: each["value"] for each in data["contact"]["fieldValues"]} == {
        "wish": "tea",
        "answer": "yes",
    }


async def test_hs14_contacts_and_fields_keep_the_ids_they_have_elsewhere(gql):
    field = await gql.do("createField", "field { id }", name="account", label="Account", type="TEXT")
    named = await gql.do(
        "updateField",
        "field { externalSource externalId }",
        id=field["field"]["id"],
        externalSource="crm",
        externalId="Account__c",
    )
    assert named["field"] == {"externalSource": "crm", "externalId": "Account__c"}
    await gql.do("createContact", CONTACT, email="ann@record.test", externalSource="crm", externalId="003A")

    found = await gql('{ contact(externalSource: "crm", externalId: "003A") { email } }')
    assert found["contact"] == {"email": "ann@record.test"}
