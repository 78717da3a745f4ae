"""Why somebody is in a segment, or is not: every condition with a verdict, the contact's own value and a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from kit import db as database

EXPLAIN = """query ($id: ID!, $where: ConditionInput, $segment: ID) { contact(id: $id) {
    explain(where: $where, segmentId: $segment) {
        matches description sentence tree
        leaves { kind path matches value description sentence where }
        parts { kind }
    }
} }"""


@pytest.fixture
async def ann(gql) -> dict[str, Any]:
    """A customer of 43.62 with two tags, unsubscribed from the news."""
    news = (await gql.do("createList", "list { id }", name="News"))["list"]["id"]
    await gql.do("createField", "field { id }", name="city", label="City", type="TEXT")
    made = await gql.do(
        "createContact",
        "contact { id }",
        email="ann@x.test",
        tags=["vip", "gold"],
        fieldValues=[{"name": "city", "value": "Lyon"}],
        memberships=[{"listId": news, "status": "UNSUBSCRIBED"}],
    )
    order = {"externalId": "1", "email": "ann@x.test", "total": 43.62, "occurredAt": "2025-05-01T10:00:00Z"}
    await gql.do("recordOrder", "order { id }", **order)
    return {"id": made["contact"]["id"], "news": news}


async def explain(gql, ann, where=None, segment=None) -> Any:
    return (await gql(EXPLAIN, id=ann["id"], where=where, segment=segment))["contact"]["explain"]


async def test_every_condition_says_how_the_contact_stands_to_it(gql, ann):
    told = {
        "Total spent is 43.62, which is not at least 45": {
            "purchase": {"field": "TOTAL_SPENT", "op": "AT_LEAST", "value": 45}
        },
        "Last order is 2025-05-01 10:00 UTC, which is between 2025-01-01 and 2025-12-31": {
            "purchase": {"field": "LAST_ORDER_AT", "op": "BETWEEN", "value": ["2025-01-01", "2025-12-31"]}
        },
        "City is Lyon, which does not contain paris": {"field": {"name": "city", "op": "CONTAINS", "value": "paris"}},
        "First name is blank, which is blank": {"contact": {"field": "FIRST_NAME", "op": "IS_BLANK"}},
        "E-mail is ann@x.test, which is one of ann@x.test": {
            "contact": {"field": "EMAIL", "op": "IS_NONE_OF", "value": ["ann@x.test"]}
        },
        "It is a contact tagged vip; its tags are gold, vip": {"tag": {"hasAny": ["vip"]}},
        "It is not a contact on “News”; how it stands there is News UNSUBSCRIBED": {
            "membership": {"listId": ann["news"]}
        },
        "It is not a contact with a task that is open; the number of these is 0": {"task": {"open": True}},
    }
    found = await explain(gql, ann, {"any": list(told.values())})
    assert [leaf["sentence"] for leaf in found["leaves"]] == list(told)
    assert found["leaves"][0]["where"] == next(iter(told.values()))
    assert (found["matches"], found["sentence"]) == (True, "3 of 8 hold; one is enough")
    assert [leaf["path"] for leaf in found["leaves"]] == [["any", str(place)] for place in range(8)]
    assert found["leaves"][0]["value"] == 43.62
    assert found["leaves"][5]["value"] == ["gold", "vip"]


async def test_a_segment_is_explained_by_the_rule_in_it_and_by_names(gql, ann):
    where = {"not": {"membership": {"listId": ann["news"], "status": "UNSUBSCRIBED"}}}
    inner = (await gql.do("createSegment", "segment { id }", name="Still there", where=where))["segment"]["id"]
    both = {"all": [{"tag": {"hasAny": ["vip"]}}, {"segment": {"id": inner, "is": False}}]}
    outer = (await gql.do("createSegment", "segment { id description }", name="Lost", where=both))["segment"]
    assert outer["description"] == "tagged vip and not in “Still there”"
    found = await explain(gql, ann, segment=outer["id"])
    assert (found["matches"], [part["kind"] for part in found["parts"]]) == (
        True,
        ["all", "tag", "segment", "not", "membership"],
    )
    segment = found["tree"]["parts"][1]
    assert (segment["matches"], segment["sentence"]) == (True, "It is not in “Still there”")
    assert segment["parts"][0]["sentence"] == "It holds, and must not"
    assert await explain(gql, ann, segment="segment_999999") is None


async def test_one_statement_answers_for_a_page_and_faults_are_told(gql, ann):
    where = {"all": [{"tag": {"hasAny": ["vip"]}}, {"contact": {"field": "EMAIL", "op": "IS_NOT_BLANK"}}]}
    counts = []
    for first in (1, 50):
        with database.counting() as counter:
            page = await gql(
                """query ($where: ConditionInput, $first: Int) {
                    contacts(first: $first) { nodes {
                        explain(where: $where) { matches } again: explain(segmentId: "segment_5") { matches }
                    } }
                }""",
                where=where,
                first=first,
            )
        counts.append(len(counter.statements))
    assert page["contacts"]["nodes"][0] == {"explain": {"matches": True}, "again": {"matches": False}}
    assert counts[0] == counts[1]
    for given, code in (({"where": {"all": []}}, "BAD_USER_INPUT"), ({}, "BAD_USER_INPUT")):
        answer = await gql.answer(EXPLAIN, id=ann["id"], **given)
        assert [error["extensions"]["code"] for error in answer.errors] == [code]
