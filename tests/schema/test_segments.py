"""Segments through the API: kept, changed, copied, counted, read only, and used to fill lists."""

from __future__ import annotations

from typing import Any

import pytest

from kit import db as database
from kit.sql import Sql
from services.caller import Role

VIP = {"tag": {"hasAny": ["vip"]}}
SEGMENT = """id name kind readOnly where description count hasBrokenReferences
    contacts(first: 10) { totalCount nodes { email } }"""


def codes(payload: dict[str, Any]) -> list[tuple[str, str]]:
    return [(error["code"], ".".join(error["path"][1:])) for error in payload["errors"]]


def emails(segment: dict[str, Any]) -> set[str]:
    return {contact["email"].split("@")[0] for contact in segment["contacts"]["nodes"]}


@pytest.fixture
async def people(gql) -> dict[str, str]:
    """Ann and Bob are VIPs, Cid is not; Bob and Cid are on a list."""
    made = (await gql.do("createList", "list { id }", name="News"))["list"]["id"]
    on_it = [{"listId": made}]
    found = {"list": made}
    for name, tags, memberships in (("ann", ["vip"], []), ("bob", ["VIP"], on_it), ("cid", [], on_it)):
        given = {"email": f"{name}@x.test", "tags": tags, "memberships": memberships}
        found[name] = (await gql.do("createContact", "contact { id }", **given))["contact"]["id"]
    return found


async def keep(gql, name: str, where: dict[str, Any]) -> dict[str, Any]:
    return (await gql.do("createSegment", f"segment {{ {SEGMENT} }}", name=name, where=where))["segment"]


async def read(gql, segment: str) -> Any:
    return (await gql(f"query ($id: ID!) {{ segment(id: $id) {{ {SEGMENT} }} }}", id=segment))["segment"]


async def named(gql, name: str) -> Any:
    found = (await gql(f"{{ segments {{ nodes {{ {SEGMENT} }} }} }}"))["segments"]["nodes"]
    return next(each for each in found if each["name"] == name)


async def test_cc6_a_segment_is_a_rule_under_a_name(gql, people):
    made = await keep(gql, " VIPs ", VIP)
    assert (made["name"], made["kind"], made["readOnly"], made["where"]) == ("VIPs", "USER", False, VIP)
    assert (made["description"], made["count"], made["contacts"]["totalCount"]) == ("tagged vip", 2, 2)
    assert emails(made) == {"ann", "bob"}
    assert await read(gql, made["id"]) == made
    assert await named(gql, "VIPs") == made
    assert (await gql("query ($id: ID!) { node(id: $id) { ... on Segment { name count } } }", id=made["id"]))[
        "node"
    ] == {"name": "VIPs", "count": 2}


async def test_members_are_found_when_asked_and_never_stale(gql, people):
    made = await keep(gql, "VIPs", VIP)
    await gql.do("removeTags", "contact { id }", contactId=people["ann"], tags=["vip"])
    assert emails(await read(gql, made["id"])) == {"bob"}
    await gql.do("updateSegment", "segment { id }", id=made["id"], where={"not": VIP})
    assert emails(await read(gql, made["id"])) == {"ann", "cid"}


async def test_cc11_nobody_is_a_valid_result(gql, people):
    made = await keep(gql, "Nobody", {"tag": {"hasAll": ["vip", "unheard of"]}})
    assert (made["count"], made["contacts"]["nodes"]) == (0, [])


async def test_cc10_groups_tell_or_from_and(gql, people):
    on_list = {"membership": {"listId": people["list"]}}
    ann = {"contact": {"field": "EMAIL", "op": "IS", "value": "ann@x.test"}}
    left = await keep(gql, "(A or B) and C", {"all": [{"any": [ann, VIP]}, on_list]})
    right = await keep(gql, "A or (B and C)", {"any": [ann, {"all": [VIP, on_list]}]})
    assert (emails(left), emails(right)) == ({"bob"}, {"ann", "bob"})


async def test_a_segment_is_a_condition_like_any_other(gql, people):
    made = await keep(gql, "VIPs", VIP)
    query = "query ($where: ConditionInput) { contacts(where: $where) { nodes { email } } }"
    for is_, expected in ((True, {"ann", "bob"}), (False, {"cid"})):
        found = await gql(query, where={"segment": {"id": made["id"], "is": is_}})
        assert emails({"contacts": found["contacts"]}) == expected
    both = await keep(gql, "Both", {"all": [{"segment": {"id": made["id"]}}, {"membership": {"status": "ACTIVE"}}]})
    assert emails(both) == {"bob"}
    assert both["description"] == "in “VIPs” and on any list"


async def test_a_segment_needs_a_name_and_a_rule_all_faults_at_once(gql, people):
    nowhere = {"all": [{"membership": {"listId": "list_999999"}}, {"segment": {"id": "segment_999999"}}]}
    refused = await gql.refused("createSegment", "segment { id }", name=" ", where=nowhere)
    assert refused["segment"] is None
    assert codes(refused) == [
        ("REQUIRED", "name"),
        ("NOT_FOUND", "where.all.0.membership.listId"),
        ("NOT_FOUND", "where.all.1.segment.id"),
    ]
    for where, code, path in (
        ({"all": []}, "EMPTY_SEGMENT", "where.all"),
        ({"field": {"name": "none", "op": "IS_BLANK"}}, "UNKNOWN_FIELD", "where.field.name"),
        ({"now": {"field": "WEEKDAY", "op": "IS", "value": "MONDAY"}}, "CONDITION_NOT_ALLOWED", "where.now"),
    ):
        assert codes(await gql.refused("createSegment", "segment { id }", name="x", where=where)) == [(code, path)]


async def test_a_name_is_there_once_whatever_its_case(gql, people):
    first = await keep(gql, "VIPs", VIP)
    second = await keep(gql, "Others", VIP)
    assert codes(await gql.refused("createSegment", "segment { id }", name="vipS", where=VIP)) == [
        ("NAME_TAKEN", "name")
    ]
    taken = await gql.refused("updateSegment", "segment { id }", id=second["id"], name="VIPS")
    assert codes(taken) == [("NAME_TAKEN", "name")]
    renamed = await gql.do("updateSegment", "segment { name }", id=first["id"], name="Vips")
    assert renamed["segment"]["name"] == "Vips"


async def test_sq15_five_of_ones_own_and_the_built_in_ones_do_not_count(gql, people):
    made = [await keep(gql, f"Segment {number}", VIP) for number in range(5)]
    given = {"name": "One more", "where": VIP}
    assert codes(await gql.refused("createSegment", "segment { id }", **given)) == [("SEGMENT_LIMIT", "name")]
    copied = await gql.refused("copySegment", "segment { id }", id=made[0]["id"], name="One more")
    assert codes(copied) == [("SEGMENT_LIMIT", "name")]
    await gql.do("deleteSegment", "segment { name }", id=made[0]["id"])
    await keep(gql, **given)
    await gql.do("updateSettings", "settings { segmentLimit }", segmentLimit=None)
    await keep(gql, "No limit", VIP)


async def test_cc1_the_four_levels_hold_every_contact_once(gql, people):
    await database.execute(
        Sql("UPDATE contact SET engagement_level = 'MOST' WHERE email IN ('ann@x.test', 'bob@x.test')")
    )
    found = (await gql("{ segments(kind: PREBUILT) { nodes { name count readOnly hasBrokenReferences } } }"))[
        "segments"
    ]
    counts = {each["name"]: each["count"] for each in found["nodes"]}
    assert counts == {"Most engaged": 2, "Somewhat engaged": 0, "Least engaged": 0, "Everyone else": 1}
    assert all(each["readOnly"] and not each["hasBrokenReferences"] for each in found["nodes"])


async def test_sq4_smart_segments_cannot_be_edited_renamed_or_deleted(gql, people):
    subscribers = await named(gql, "Subscribers")
    assert (subscribers["kind"], emails(subscribers)) == ("SMART", {"bob", "cid"})
    for mutation, more in (
        ("updateSegment", {"name": "Mine"}),
        ("updateSegment", {"where": VIP}),
        ("deleteSegment", {}),
    ):
        refused = await gql.refused(mutation, "segment { id }", id=subscribers["id"], **more)
        assert (codes(refused), refused["segment"]) == ([("SEGMENT_READ_ONLY", "id")], None)
    assert await named(gql, "Subscribers") == subscribers


async def test_cc3_a_copy_has_a_name_of_its_own_and_further_criteria(gql, people):
    subscribers = await named(gql, "Subscribers")
    made = await gql.do("copySegment", f"segment {{ {SEGMENT} }}", id=subscribers["id"], name="Best", where=VIP)
    assert (made["segment"]["kind"], emails(made["segment"])) == ("USER", {"bob"})
    plain = await gql.do("copySegment", "segment { where }", id=subscribers["id"], name="Same")
    assert plain["segment"]["where"] == subscribers["where"]
    taken = await gql.refused("copySegment", "segment { id }", id=subscribers["id"], name="best")
    assert codes(taken) == [("NAME_TAKEN", "name")]
    assert codes(await gql.refused("copySegment", "segment { id }", id=subscribers["id"], name="")) == [
        ("REQUIRED", "name")
    ]
    assert await named(gql, "Subscribers") == subscribers


async def test_cc4_who_is_in_it_now_gets_a_membership_and_who_left_does_not(gql, people):
    vips = await keep(gql, "VIPs", VIP)
    await gql.do(
        "setMembership", "membership { id }", contactId=people["bob"], listId=people["list"], status="UNSUBSCRIBED"
    )
    done = await gql.do(
        "addSegmentToList",
        "segment { name } list { activeCount } added unchanged notReactivated",
        segmentId=vips["id"],
        listId=people["list"],
    )
    del done["errors"]
    assert done == {
        "segment": {"name": "VIPs"},
        "list": {"activeCount": 2},
        "added": 1,
        "unchanged": 0,
        "notReactivated": 1,
    }
    await gql.do("removeTags", "contact { id }", contactId=people["ann"], tags=["vip"])
    found = await gql("query ($id: ID!) { contact(id: $id) { memberships { status source } } }", id=people["ann"])
    assert found["contact"]["memberships"] == [{"status": "ACTIVE", "source": "MANUAL"}], "a snapshot, no link"
    for given, path in (({"listId": "list_999999"}, "listId"), ({"segmentId": "segment_999999"}, "segmentId")):
        both = {"segmentId": vips["id"], "listId": people["list"], **given}
        assert codes(await gql.refused("addSegmentToList", "added", **both)) == [("NOT_FOUND", path)]


async def test_a_segment_never_comes_to_itself(gql, people):
    inner = await keep(gql, "Inner", VIP)
    outer = await keep(gql, "Outer", {"not": {"segment": {"id": inner["id"]}}})
    for where, path in (
        ({"segment": {"id": inner["id"]}}, "where.segment.id"),
        ({"any": [VIP, {"segment": {"id": outer["id"]}}]}, "where.any.1.segment.id"),
    ):
        refused = await gql.refused("updateSegment", "segment { id }", id=inner["id"], where=where)
        assert codes(refused) == [("SEGMENT_CYCLE", path)]
    assert emails(await read(gql, outer["id"])) == {"cid"}


async def test_segments_in_segments_do_not_grow_beyond_measure(gql, people):
    await gql.do("updateSettings", "settings { segmentLimit }", segmentLimit=None)
    made = await keep(gql, "0", VIP)
    for number in range(1, 4):  # each of two of those before: 2, 6, 14 inside
        made = await keep(gql, str(number), {"any": [{"segment": {"id": made["id"]}}] * 2})
    refused = await gql.refused("createSegment", name="4", where={"any": [{"segment": {"id": made["id"]}}] * 2})
    assert codes(refused) == [("TOO_MANY_CONDITIONS", "where")]
    assert emails(made) == {"ann", "bob"}


async def test_what_is_deleted_is_had_by_nobody_and_the_segment_says_so(gql, people):
    inner = await keep(gql, "Inner", VIP)
    outer = await keep(gql, "Outer", {"any": [{"segment": {"id": inner["id"]}}, {"not": {"tag": {"hasAny": ["vip"]}}}]})
    assert [inner["hasBrokenReferences"], outer["hasBrokenReferences"]] == [False, False]
    assert outer["count"] == 3
    gone = await gql.do("deleteSegment", "segment { name count }", id=inner["id"])
    assert gone["segment"] == {"name": "Inner", "count": 2}
    assert await read(gql, inner["id"]) is None
    after = await read(gql, outer["id"])
    assert (after["hasBrokenReferences"], emails(after)) == (True, {"cid"})


async def test_a_renamed_or_merged_tag_is_rewritten(gql, people):
    made = await keep(gql, "VIPs", {"any": [VIP, {"tag": {"hasAll": ["gold", "vip"]}}]})
    tags = (await gql("{ tags { nodes { id name } } }"))["tags"]["nodes"]
    vip = next(tag["id"] for tag in tags if tag["name"] == "vip")
    await gql.do("updateTag", "tag { id }", id=vip, name="very important")
    renamed = await read(gql, made["id"])
    assert (emails(renamed), renamed["hasBrokenReferences"]) == ({"ann", "bob"}, True), "there is no tag gold"
    assert renamed["where"]["any"][0] == {"tag": {"hasAny": ["very important"]}}
    gold = (await gql.do("createTag", "tag { id }", name="gold"))["tag"]["id"]
    await gql.do("mergeTags", "tag { id }", fromIds=[vip], intoId=gold)
    merged = await read(gql, made["id"])
    assert merged["where"] == {"any": [{"tag": {"hasAny": ["gold"]}}, {"tag": {"hasAll": ["gold"]}}]}
    assert (emails(merged), merged["hasBrokenReferences"]) == ({"ann", "bob"}, False)


async def test_the_page_of_a_segment_goes_on_by_its_cursor(gql, people):
    made = await keep(gql, "All", {"contact": {"field": "EMAIL", "op": "ENDS_WITH", "value": "x.test"}})
    query = """query ($id: ID!, $after: String) {
        segment(id: $id) {
            contacts(first: 2, after: $after) { nodes { email } pageInfo { hasNextPage endCursor } }
        }
    }"""
    first = (await gql(query, id=made["id"]))["segment"]["contacts"]
    second = (await gql(query, id=made["id"], after=first["pageInfo"]["endCursor"]))["segment"]["contacts"]
    assert [first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]] == [True, False]
    assert len({contact["email"] for contact in [*first["nodes"], *second["nodes"]]}) == 3


async def test_a_segment_is_sorted_as_contacts_are(gql, people):
    await gql.do("createField", "field { id }", name="city", label="City", type="TEXT")
    await gql.do("updateContact", "contact { id }", id=people["bob"], fieldValues=[{"name": "city", "value": "Aix"}])
    some = await keep(
        gql, "Some", {"any": [VIP, {"membership": {"status": "ACTIVE"}}]}
    )  # alternatives: near ones first
    query = """query ($sort: [ContactSortInput!], $after: String) { segments(kind: USER) { nodes {
        contacts(first: 2, sort: $sort, after: $after) { nodes { email } pageInfo { hasNextPage endCursor } totalCount }
    } } }"""

    async def pages(**sort: str) -> list[str]:
        first = (await gql(query, sort=[sort]))["segments"]["nodes"][0]["contacts"]
        assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
        after = first["pageInfo"]["endCursor"]
        second = (await gql(query, sort=[sort], after=after))["segments"]["nodes"][0]["contacts"]
        return [each["email"].split("@")[0] for each in (*first["nodes"], *second["nodes"])]

    assert await pages(by="EMAIL", direction="DESC") == ["cid", "bob", "ann"]
    assert await pages(by="FIELD", fieldName="CITY") == ["bob", "ann", "cid"]
    assert await pages(by="FIELD", fieldName="city", direction="DESC") == ["bob", "cid", "ann"]
    node = """query ($id: ID!, $sort: [ContactSortInput!]) { node(id: $id) { ... on Segment {
        contacts(sort: $sort) { nodes { email explain(segmentId: $id) { matches } } }
    } } }"""
    told = (await gql(node, id=some["id"], sort=[{"by": "EMAIL"}]))["node"]["contacts"]["nodes"]
    assert [each["explain"]["matches"] for each in told] == [True] * 3
    answer = await gql.answer(node, id=some["id"], sort=[{"by": "FIELD", "fieldName": "town"}])
    assert [error["extensions"]["reason"] for error in answer.errors] == ["UNKNOWN_FIELD"]


async def test_an_automation_branches_by_a_segment_and_by_the_moment(gql, people):
    """The moment is refused in searches, and understood where somebody stands at a branch."""
    weekday = {"now": {"field": "WEEKDAY", "op": "IS_ANY_OF", "value": ["MONDAY", "SUNDAY"]}}
    search = await gql.answer(
        "query ($where: ConditionInput) { contacts(where: $where) { totalCount } }", where=weekday
    )
    assert [error["extensions"]["code"] for error in search.errors]
    step = {
        "id": "fork",
        "do": {"ifElse": {"where": {"any": [weekday, {"segment": {"id": "segment_1"}}]}}},
        "branches": [{"name": "YES", "next": None}, {"name": "NO", "next": None}],
    }
    await gql.do("createAutomation", "automation { id }", name="Fork", triggers=[], steps=[step])


async def test_members_see_segments_and_fill_lists_and_admins_make_them(gql, people):
    vips = await keep(gql, "VIPs", VIP)
    member = gql.as_(Role.MEMBER)
    assert (await read(member, vips["id"]))["count"] == 2
    done = await member.do("addSegmentToList", "added", segmentId=vips["id"], listId=people["list"])
    assert done["added"] == 1


async def test_a_list_of_segments_takes_no_more_statements_than_one(gql, people):
    counts = []
    for query in (
        "{ segments(first: 1) { nodes { name count description contacts { nodes { email } } } } }",
        "{ segments(first: 20) { nodes { name count description contacts { nodes { email } } } } }",
    ):
        with database.counting() as counter:
            await gql(query)
        counts.append(len(counter.statements))
    assert counts[0] == counts[1]
