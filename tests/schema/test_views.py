"""Saved views (AC19, AC22, HS6), and the search that people type (AC20)."""

from __future__ import annotations

from typing import Any

import pytest

from kit import ids
from services import users
from services.caller import Role
from tests.conftest import Gql

VIEW = """id name shared search where hasBrokenReferences owner { name } sort { by direction fieldName missing }
    columns { by fieldName missing field { label } }"""
IN_IT = "query ($view: ID!) { contacts(view: $view) { nodes { email } } }"


def codes(payload: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["code"], ".".join(error["path"][1:])) for error in payload["errors"]]


async def emails(gql, query: str = IN_IT, **given: Any) -> list[str]:
    return [each["email"].split("@")[0] for each in (await gql(query, **given))["contacts"]["nodes"]]


@pytest.fixture
async def people(gql) -> str:
    """Ann of Lyon, Bob of Berlin and Cid of nowhere; Ann and Cid are tagged; the id of the field."""
    city = (await gql.do("createField", "field { id }", name="city", label="City", type="TEXT"))["field"]["id"]
    for name, tags, where in (("ann", ["vip"], "Lyon"), ("bob", [], "Berlin"), ("cid", ["vip"], None)):
        values = [{"name": "city", "value": where}] if where else []
        await gql.do("createContact", "contact { id }", email=f"{name}@x.test", tags=tags, fieldValues=values)
    return city


async def test_hs6_ac19_ac22_a_view_is_columns_a_filter_and_an_order_and_comes_back_as_it_was(gql, people):
    columns = [{"by": "FULL_NAME"}, {"by": "FIELD", "fieldName": "city"}, {"by": "TAGS"}, {"by": "EMAIL"}]
    where = {"tag": {"hasAny": ["vip"]}}
    sort = [{"by": "FIELD", "fieldName": "city", "direction": "ASC"}, {"by": "EMAIL", "direction": "DESC"}]
    made = await gql.do(
        "createView", f"view {{ {VIEW} }}", name=" Vips ", columns=columns, where=where, search="x.te", sort=sort
    )
    view = made["view"]
    assert [(each["by"], each["fieldName"]) for each in view["columns"]] == [
        (each["by"], each.get("fieldName")) for each in columns
    ]
    assert view["columns"][1]["field"] == {"label": "City"}
    assert (view["name"], view["where"], view["search"], view["shared"]) == ("Vips", where, "x.te", False)
    assert [each["fieldName"] for each in view["sort"]] == ["city", None]
    assert await emails(gql, view=view["id"]) == ["ann", "cid"]
    assert (await gql("query ($id: ID!) { view(id: $id) { name } }", id=view["id"]))["view"] == {"name": "Vips"}

    segment = await gql.do("createSegment", "segment { contacts { nodes { email } } }", name="V", where=view["where"])
    assert len(segment["segment"]["contacts"]["nodes"]) == 2, "AC22: a search becomes a segment with the same members"

    both = "query ($view: ID!, $where: ConditionInput) { contacts(view: $view, where: $where) { nodes { email } } }"
    ann = {"contact": {"field": "EMAIL", "op": "STARTS_WITH", "value": "ann"}}
    assert await emails(gql, both, view=view["id"], where=ann) == ["ann"]
    changed = await gql.do("updateView", f"view {{ {VIEW} }}", id=view["id"], where=None, search=None, shared=True)
    assert (changed["view"]["where"], changed["view"]["search"], changed["view"]["shared"]) == (None, None, True)
    assert changed["view"]["columns"] == view["columns"]
    assert await emails(gql, view=view["id"]) == ["bob", "ann", "cid"]
    await gql.do("deleteView", "view { name }", id=view["id"])
    assert (await gql("{ views { totalCount } }"))["views"]["totalCount"] == 0


async def test_what_a_view_names_and_is_gone_is_flagged_and_left_out(gql, people):
    columns = [{"by": "EMAIL"}, {"by": "FIELD", "fieldName": "city"}]
    sort = [{"by": "FIELD", "fieldName": "city", "direction": "DESC"}]
    view = (await gql.do("createView", f"view {{ {VIEW} }}", name="Cities", columns=columns, sort=sort))["view"]
    assert view["hasBrokenReferences"] is False
    await gql.do("deleteField", "field { id }", id=people, confirm=True)
    found = (await gql(f"{{ views {{ nodes {{ {VIEW} }} }} }}"))["views"]["nodes"][0]
    assert found["hasBrokenReferences"] is True
    assert [(each["missing"], each["field"]) for each in found["columns"]] == [(False, None), (True, None)]
    assert [each["missing"] for each in found["sort"]] == [True]
    assert await emails(gql, view=view["id"]) == ["ann", "bob", "cid"]


async def test_a_tag_by_another_name_is_the_same_in_views(gql, people):
    where = {"tag": {"hasAny": ["vip"]}}
    view = (await gql.do("createView", "view { id }", name="V", columns=[{"by": "EMAIL"}], where=where))["view"]
    tag = (await gql("{ tags { nodes { id } } }"))["tags"]["nodes"][0]["id"]
    await gql.do("updateTag", "tag { id }", id=tag, name="gold")
    assert await emails(gql, view=view["id"]) == ["ann", "cid"]


async def test_ones_own_views_are_ones_own_and_shared_ones_are_for_everybody(gql, people):
    for name, shared in (("Mine", False), ("Ours", True)):
        await gql.do("createView", "view { id }", name=name, columns=[{"by": "EMAIL"}], shared=shared)
    mine, ours = [each["id"] for each in (await gql("{ views { nodes { id } } }"))["views"]["nodes"]]
    values = {"email": "mo@x.test", "name": "Mo", "role": "MEMBER"}
    number = await users.create(values, by=gql.caller)
    mo = Gql(gql.caller).as_(Role.MEMBER)
    mo.caller = type(mo.caller)(actor=f"user:{number}", now=mo.caller.now, role=Role.MEMBER, user_id=number)
    assert (await mo("{ views { nodes { name } } }"))["views"]["nodes"] == [{"name": "Ours"}]
    assert codes(await mo.refused("updateView", "view { id }", id=mine, name="x")) == [("NOT_FOUND", "id")]
    assert codes(await mo.refused("deleteView", "view { id }", id=ours)) == [("FORBIDDEN", "id")]
    answer = await mo.answer(IN_IT, view=mine)
    assert [error["extensions"]["code"] for error in answer.errors] == ["BAD_USER_INPUT"]
    one = "query ($id: ID!) { node(id: $id) { ... on View { name } } nodes(ids: [$id]) { id } view(id: $id) { name } }"
    assert await mo(one, id=mine) == {"node": None, "nodes": [None], "view": None}
    assert (await mo(one, id=ours))["node"] == {"name": "Ours"}
    his = (await mo.do("createView", "view { id }", name="His", columns=[{"by": "EMAIL"}]))["view"]["id"]
    assert (await gql(one, id=his)) == {"node": {"name": "His"}, "nodes": [{"id": his}], "view": {"name": "His"}}
    assert {each["name"] for each in (await gql("{ views { nodes { name } } }"))["views"]["nodes"]} == {"Mine", "Ours"}
    await mo.do("createView", "view { id }", name="mine", columns=[{"by": "EMAIL"}])
    await gql.do("deleteView", "view { id }", id=ours)
    assert (await gql("query ($id: ID!) { node(id: $id) { id } }", id=ids.give("view", 999_999)))["node"] is None


async def test_faults_of_a_view_are_told_at_once(gql, people):
    given = {
        "name": "",
        "columns": [{"by": "EMAIL"}, {"by": "EMAIL"}, {"by": "FIELD"}, {"by": "FIELD", "fieldName": "gone"}],
        "where": {"all": [{"membership": {"listId": "list_999999"}}]},
        "sort": [{"by": "FIELD", "fieldName": "gone"}],
    }
    assert set(codes(await gql.refused("createView", "view { id }", **given))) == {
        ("REQUIRED", "name"),
        ("INVALID_VALUE", "columns.1"),
        ("UNKNOWN_FIELD", "columns.2.fieldName"),
        ("UNKNOWN_FIELD", "columns.3.fieldName"),
        ("UNKNOWN_FIELD", "sort.0.fieldName"),
        ("NOT_FOUND", "where.all.0.membership.listId"),
    }
    assert codes(await gql.refused("createView", "view { id }", name="x", columns=[])) == [("REQUIRED", "columns")]
    await gql.do("createView", "view { id }", name="X", columns=[{"by": "EMAIL"}])
    again = await gql.refused("createView", "view { id }", name="x", columns=[{"by": "EMAIL"}])
    assert codes(again) == [("NAME_TAKEN", "name")]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("o'b", {"ada", "o'b%"}),
        ("O'B%", {"o'b%"}),
        ("a_b", {"a_b"}),
        ("\\", {"back\\slash"}),
        ("ADA LOVE", {"ada"}),
        ("lace O'Brien", {"ada"}),
        ("@x.TEST", {"ada", "o'b%", "a_b", "back\\slash", "ß"}),
        ("e", {"ada", "o'b%", "a_b", "back\\slash", "ß"}),
        ("é", {"ß"}),
        ("brien\x01ada", set()),
        ("  ", {"ada", "o'b%", "a_b", "back\\slash", "ß"}),
    ],
)
async def test_ac20_a_search_is_a_part_of_a_name_or_address_taken_literally(gql, search, found):
    for first, last, email in (
        ("Ada", "Lovelace O'Brien", "ada"),
        (None, None, "o'b%"),
        (None, None, "a_b"),
        ("back\\slash", None, "back"),
        ("Éß", None, "s"),
    ):
        await gql.do("createContact", "contact { id }", email=f"{email}@x.test", firstName=first, lastName=last)
    query = "query ($search: String) { contacts(search: $search) { totalCount nodes { email } } }"
    names = {"back": "back\\slash", "s": "ß"}
    assert {names.get(each, each) for each in await emails(gql, query, search=search)} == found
