"""Custom fields themselves, through the API: changed, grouped, ordered and deleted."""

from __future__ import annotations

import pytest

from kit import db as database
from kit.sql import Sql

ABOUT = """query ($id: ID!) { contact(id: $id) {
    about { field { name } value } fieldValues { field { name } value }
} }"""


def codes(payload) -> set[tuple[str, str]]:
    return {(error["code"], ".".join(error["path"][1:])) for error in payload["errors"]}


@pytest.fixture
def made(gql):
    """`await made("size", "DROPDOWN", options=[...])`: a field; its id."""

    async def field(name: str, type: str = "TEXT", **more) -> str:
        given = {"label": name.capitalize(), **more}
        return (await gql.do("createField", "field { id }", name=name, type=type, **given))["field"]["id"]

    return field


async def test_hs12_a_label_can_be_changed_and_the_internal_name_cannot(gql, made):
    size = await made("size")
    shown = await gql.do(
        "updateField",
        "field { name label description required isDefault visible externalSource externalId position }",
        id=size,
        label="Shoe size",
        description="European",
        required=True,
        isDefault=True,
        visible=False,
        externalSource="salesforce",
        externalId="Size__c",
        position=7,
    )
    assert shown["field"] == {
        "name": "size",
        "label": "Shoe size",
        "description": "European",
        "required": True,
        "isDefault": True,
        "visible": False,
        "externalSource": "salesforce",
        "externalId": "Size__c",
        "position": 7,
    }
    back = await gql.do("updateField", "field { label visible required }", id=size, label=None, visible=None)
    assert back["field"] == {"label": "size", "visible": True, "required": True}
    assert codes(await gql.refused("createField", name="SIZE", label="Other", type="TEXT")) == {("NAME_TAKEN", "name")}
    inputs = await gql('{ __type(name: "UpdateFieldInput") { inputFields { name } } }')
    assert not {"name", "type"} & {each["name"] for each in inputs["__type"]["inputFields"]}


async def test_ac26_an_option_that_somebody_has_cannot_be_taken_away(gql, made):
    size = await made("size", "DROPDOWN", options=["S", "M", "L"])
    likes = await made("likes", "CHECKBOX", options=["tea", "coffee", "water"])
    values = [{"name": "size", "value": "M"}, {"name": "likes", "value": ["tea", "coffee"]}]
    await gql.do("createContact", "contact { id }", email="a@x.test", fieldValues=values)
    assert codes(await gql.refused("updateField", id=size, options=["S", "L"])) == {("OPTION_IN_USE", "options")}
    assert codes(await gql.refused("updateField", id=likes, options=["tea"])) == {("OPTION_IN_USE", "options")}
    fewer = await gql.do("updateField", "field { options }", id=size, options=["XL", "M"])
    assert fewer["field"] == {"options": ["XL", "M"]}
    await gql.do("updateField", "field { options }", id=likes, options=["coffee", "tea"])
    assert codes(await gql.refused("updateField", id=size, options=[])) == {("REQUIRED", "options")}
    refused = await gql.refused("createContact", email="b@x.test", fieldValues=[{"name": "size", "value": "S"}])
    assert codes(refused) == {("INVALID_OPTION", "fieldValues.0.value")}


async def test_ac26_options_are_only_for_types_that_have_some(gql, made):
    note = await made("remark")
    assert codes(await gql.refused("updateField", id=note, options=["a"], label="x" * 300)) == {
        ("INVALID_VALUE", "options"),
        ("TOO_LONG", "label"),
    }


async def test_hs12_fields_stand_in_groups_in_their_order(gql, made):
    group = await gql.do("createFieldGroup", "group { id name label position }", name="Body", position=2)
    assert group["group"] == {"id": group["group"]["id"], "name": "Body", "label": "Body", "position": 2}
    await made("height", group="BODY", position=2)
    await made("weight", group="body", position=1)
    await made("hobby", group="Leisure")
    await made("plain")
    shown = await gql("{ fields { name group } fieldGroups { name label fields { name } } }")
    assert [(each["name"], each["group"]) for each in shown["fields"]] == [
        ("plain", None),
        ("hobby", "Leisure"),
        ("weight", "Body"),
        ("height", "Body"),
    ]
    assert shown["fieldGroups"] == [
        {"name": "Leisure", "label": "Leisure", "fields": [{"name": "hobby"}]},
        {"name": "Body", "label": "Body", "fields": [{"name": "weight"}, {"name": "height"}]},
    ]
    assert codes(await gql.refused("createFieldGroup", name="body")) == {("NAME_TAKEN", "name")}
    moved = await gql.do("updateFieldGroup", "group { label position }", id=group["group"]["id"], label="Measures")
    assert moved["group"] == {"label": "Measures", "position": 2}


async def test_hs8_about_shows_the_default_fields_and_field_values_all_that_is_known(gql, made):
    await made("nickname", isDefault=True, position=2)
    await made("city", isDefault=True, position=1)
    await made("secret")
    values = [{"name": "nickname", "value": "Joe"}, {"name": "secret", "value": "x"}]
    contact = (await gql.do("createContact", "contact { id }", email="a@x.test", fieldValues=values))["contact"]["id"]
    shown = (await gql(ABOUT, id=contact))["contact"]
    assert shown["about"] == [
        {"field": {"name": "city"}, "value": None},
        {"field": {"name": "nickname"}, "value": "Joe"},
    ]
    assert shown["fieldValues"] == [
        {"field": {"name": "nickname"}, "value": "Joe"},
        {"field": {"name": "secret"}, "value": "x"},
    ]


async def test_a_deleted_field_is_gone_with_its_values_and_nobody_is_asked_for_it(gql, made):
    size = await made("size", "NUMBER", required=True)
    values = [{"name": "size", "value": 42}]
    contact = (await gql.do("createContact", "contact { id }", email="a@x.test", fieldValues=values))["contact"]["id"]
    await gql.do("updateSettings", "settings { name }", createFormFields=["email", "size"])
    assert codes(await gql.refused("deleteField", id=size, confirm=False)) == {("CONFIRMATION_REQUIRED", "confirm")}
    gone = await gql.do("deleteField", "field { name }", id=size, confirm=True)
    assert gone["field"] == {"name": "size"}
    shown = await gql(ABOUT, id=contact)
    assert shown["contact"] == {"about": [], "fieldValues": []}
    assert (await gql("{ settings { createFormFields } }"))["settings"] == {"createFormFields": ["email"]}
    with_size = {"field": {"name": "size", "op": "IS_NOT_BLANK"}}
    unknown = await gql.answer("query ($w: ConditionInput) { contacts(where: $w) { totalCount } }", w=with_size)
    assert unknown.errors[0]["extensions"]["reason"] == "UNKNOWN_FIELD"
    await gql.do("createContact", "contact { id }", email="b@x.test")
    assert await database.value(Sql("SELECT count(*) FROM event e WHERE e.kind = 'FIELD_CHANGED'")) == 0


async def test_the_number_of_fields_can_be_limited(gql, made):
    await made("one")
    await gql.do("updateSettings", "settings { name }", fieldLimit=1)
    assert codes(await gql.refused("createField", name="two", label="Two", type="TEXT")) == {("FIELD_LIMIT", "name")}
    assert codes(await gql.refused("createField", name="one", label="One", type="TEXT")) == {("NAME_TAKEN", "name")}


async def test_ae4_every_faulty_field_is_reported_and_nothing_is_saved(gql, made):
    await made("size", "NUMBER", required=True)
    await made("color", "RADIO", options=["red"])
    right = [{"name": "size", "value": 1}]
    contact = await gql.do("createContact", "contact { id }", email="a@x.test", firstName="Ann", fieldValues=right)
    refused = await gql.refused(
        "updateContact",
        id=contact["contact"]["id"],
        firstName="Kept?",
        email="nonsense",
        fieldValues=[{"name": "size", "value": None}, {"name": "color", "value": "blue"}, {"name": "none", "value": 1}],
    )
    assert codes(refused) == {
        ("EMAIL_INVALID", "email"),
        ("REQUIRED", "fieldValues.0.value"),
        ("INVALID_OPTION", "fieldValues.1.value"),
        ("UNKNOWN_FIELD", "fieldValues.2.name"),
    }
    shown = await gql('{ contact(email: "a@x.test") { firstName fieldValues { value } } }')
    assert shown["contact"] == {"firstName": "Ann", "fieldValues": [{"value": 1}]}


async def test_lists_have_a_limit(gql):
    await gql.do("updateSettings", "settings { name }", listLimit=1)
    await gql.do("createList", "list { id }", name="One")
    assert codes(await gql.refused("createList", name="Two")) == {("LIST_LIMIT", "")}
    assert codes(await gql.refused("createList", name="ONE")) == {("NAME_TAKEN", "name")}
