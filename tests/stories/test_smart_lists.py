"""Static and smart lists (HS2): members set by hand, and members that follow a rule; neither agrees to mail by that."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories.team import on, step, tagged

LIST = "list { id kind where contactCount activeCount }"


def codes(payload: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["code"], ".".join(error["path"][1:])) for error in payload["errors"]]


@pytest.fixture
def standing(gql):
    """`await standing(contact)`: its memberships as list → status, source, detail; and whether it takes mail."""

    async def read(contact: str) -> tuple[dict[str, tuple[str, ...]], bool]:
        query = """query ($id: ID!) { contact(id: $id) {
            acceptsMarketing memberships { list { name } status source sourceDetail }
        } }"""
        found = (await gql(query, id=contact))["contact"]
        return {
            each["list"]["name"]: (each["status"], each["source"], each["sourceDetail"])
            for each in found["memberships"]
        }, found["acceptsMarketing"]

    return read


async def test_hs2_members_of_a_smart_list_follow_its_rule_and_those_of_a_static_one_do_not(gql, team, work, standing):
    ann, bob = await team.contact(tags=["vip"]), await team.contact()
    smart = (await gql.do("createList", LIST, name="Best", kind="SMART", where=tagged("vip")))["list"]
    assert (smart["kind"], smart["where"]) == ("SMART", tagged("vip"))
    static = (await gql.do("createList", LIST, name="Picked", kind="STATIC"))["list"]
    assert await standing(ann) == ({"Best": ("ACTIVE", "AUTOMATION", "RULE")}, False)  # before any worker came by
    await team.subscribe(ann, static["id"])
    joined = await team.automation(step("end", "end"), triggers=[on("listSubscribed", listId=smart["id"])])
    await team.tag(bob, "vip")
    await team.untag(ann, "vip")
    await work()
    assert await standing(ann) == ({"Picked": ("ACTIVE", "MANUAL", None)}, False)
    assert await standing(bob) == ({"Best": ("ACTIVE", "AUTOMATION", "RULE")}, False)
    assert len(await team.runs(bob, joined)) == 1
    found = await gql("query ($id: ID!) { contact(id: $id) { activity(first: 20) { nodes { kind text } } } }", id=ann)
    assert {"kind": "LIST_LEFT", "text": "Left by its rule: Best"} in found["contact"]["activity"]["nodes"]

    changed = await gql.do("updateList", LIST, id=smart["id"], name="Better", where={"not": tagged("vip")})
    assert changed["list"]["where"] == {"not": tagged("vip")}
    await work()
    assert set((await standing(ann))[0]) == {"Better", "Picked"}
    assert (await standing(bob))[0] == {}


async def test_hs2_nobody_is_put_on_a_smart_list_or_taken_off_by_hand(gql, team, work, standing):
    smart = (await gql.do("createList", LIST, name="Best", kind="SMART", where=tagged("vip")))["list"]["id"]
    ann = await team.contact(tags=["vip"])
    await work()
    for status in ("ACTIVE", "UNSUBSCRIBED"):
        refused = await gql.refused("setMembership", contactId=ann, listId=smart, status=status)
        assert codes(refused) == [("LIST_IS_SMART", "contactId")]
    refused = await gql.refused("createContact", email="x@x.test", memberships=[{"listId": smart}])
    assert codes(refused) == [("LIST_IS_SMART", "memberships")]
    made = await gql.do("createSegment", "segment { id }", name="Vips", where=tagged("vip"))
    refused = await gql.refused("addSegmentToList", segmentId=made["segment"]["id"], listId=smart)
    assert codes(refused) == [("LIST_IS_SMART", "listId")]
    given = {"fields": [{"name": "email"}], "actions": [{"subscribe": {"listId": smart}}]}
    refused = await gql.refused("createForm", name="Ask", **given)
    assert codes(refused) == [("LIST_IS_SMART", "actions.0.subscribe.listId")]
    journey = await team.automation(
        step("on", "subscribe", "off", listId=smart), step("off", "unsubscribe", listId=smart)
    )
    run = await team.enter(ann, journey)
    await work()
    path = (await team.run(run))["path"]
    assert [(visit["status"], visit["reason"]) for visit in path] == [("SKIPPED", "LIST_IS_SMART")] * 2
    assert await standing(ann) == ({"Best": ("ACTIVE", "AUTOMATION", "RULE")}, False)


async def test_hs2_a_rule_brings_nobody_back_and_two_who_become_one_are_judged_as_one(gql, team, work, standing):
    await gql.do("createList", LIST, name="Best", kind="SMART", where={"all": [tagged("vip"), {"not": tagged("no")}]})
    ann, bob, cid = [await team.contact(tags=["vip"]) for _ in range(3)]
    await work()
    await gql.do("mergeContacts", "contact { id }", keepId=ann, mergeId=bob, confirm=True)
    await team.tag(ann, "no")
    await work()
    assert (await standing(ann))[0] == {}
    await team.untag(ann, "no")
    await work()
    assert set((await standing(ann))[0]) == {"Best"}
    await gql.do("deleteContact", "contact { id }", id=cid, confirm=True)
    await work()


async def test_hs2_a_rule_belongs_to_smart_lists_and_does_not_come_back_to_itself(gql, team):
    assert codes(await gql.refused("createList", name="A", kind="SMART")) == [("EMPTY_SEGMENT", "where")]
    assert codes(await gql.refused("createList", name="A", where=tagged("vip"))) == [("INVALID_VALUE", "where")]
    assert ("UNKNOWN_FIELD", "where.field.name") in codes(
        await gql.refused("createList", name="A", kind="SMART", where={"field": {"name": "x", "op": "IS_BLANK"}})
    )
    first = (await gql.do("createList", LIST, name="A", kind="SMART", where=tagged("vip")))["list"]["id"]
    by_first = {"membership": {"listId": first}}
    made = await gql.do("createSegment", "segment { id }", name="S", where=by_first)
    by_segment = {"segment": {"id": made["segment"]["id"]}}
    second = (await gql.do("createList", LIST, name="B", kind="SMART", where=by_segment))["list"]["id"]
    for where, place in ((by_first, "membership.listId"), (by_segment, "segment.id")):
        assert codes(await gql.refused("updateList", id=first, where=where)) == [("LIST_CYCLE", f"where.{place}")]
    loop = {"any": [by_first, {"membership": {"listId": second}}]}
    assert codes(await gql.refused("updateSegment", id=made["segment"]["id"], where=loop))
    assert codes(await gql.refused("updateList", id=first, name="b")) == [("NAME_TAKEN", "name")]
    assert codes(await gql.refused("updateList", id="list_999999999", name="C")) == [("NOT_FOUND", "id")]
