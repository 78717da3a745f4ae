"""The audience language as its rules are written down: one test a rule (domain 1 and 3), through the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kit import clock

FOUND = """query ($where: ConditionInput, $view: ID) {
    contacts(where: $where, view: $view, sort: [{ by: EMAIL }]) { totalCount nodes { email } }
}"""


@pytest.fixture
def who(gql):
    """The names of those who meet a rule, and that nobody else is everybody else."""

    async def found(where: dict[str, Any]) -> list[str]:
        yes = (await gql(FOUND, where=where))["contacts"]
        no = (await gql(FOUND, where={"not": where}))["contacts"]
        everybody = (await gql("{ contacts { totalCount } }"))["contacts"]["totalCount"]
        assert yes["totalCount"] + no["totalCount"] == everybody, where
        return [each["email"].split("@")[0] for each in yes["nodes"]]

    return found


@pytest.fixture
async def make(gql):
    async def made(name: str, **given: Any) -> str:
        return (await gql.do("createContact", "contact { id }", email=f"{name}@x.test", **given))["contact"]["id"]

    return made


@pytest.fixture
async def ago(db):
    """So long ago, as the API writes it."""
    now: datetime = await clock.now()
    return lambda **length: (now - timedelta(**length)).astimezone(UTC).isoformat()


async def test_ac18_list_and_status_are_of_the_same_membership(gql, who, make):
    a, b = [(await gql.do("createList", "list { id }", name=name))["list"]["id"] for name in "AB"]
    on = {"a": [(a, "UNSUBSCRIBED"), (b, "ACTIVE")], "b": [(b, "UNSUBSCRIBED")], "c": [(a, "ACTIVE"), (b, "ACTIVE")]}
    for name, memberships in on.items():
        await make(name, memberships=[{"listId": each, "status": status} for each, status in memberships])
    await make("d")
    for given, names in (
        ({"listId": b, "status": "UNSUBSCRIBED"}, "b"),
        ({"listId": a}, "c"),
        ({"listId": a, "is": False}, "abd"),
        ({"anyOf": [a, b]}, "ac"),
        ({"allOf": [a, b]}, "c"),
        ({"noneOf": [a, b]}, "bd"),
        ({"anyOf": [a, b], "status": "UNSUBSCRIBED"}, "ab"),
    ):
        assert await who({"membership": given}) == list(names), given
    refused = await gql.refused("createSegment", name="x", where={"membership": {"listId": a, "anyOf": []}})
    assert {error["path"][-1] for error in refused["errors"]} == {"anyOf"}


async def test_ac21_an_advanced_search_mixes_all_families(gql, who, make, ago):
    await gql.do("createField", "field { id }", name="city", label="City", type="TEXT")
    for name in ("ann", "bob"):
        await make(name, tags=["vip"], location={"country": "FR"}, fieldValues=[{"name": "city", "value": "Aix"}])
    page = {"email": "ann@x.test", "url": "https://s.test/p?utm_source=ads", "device": "MOBILE"}
    done = {"email": "ann@x.test", "name": "played"}
    await gql.do("recordEvents", "recorded", pages=[page], events=[done])
    mail = {"email": "ann@x.test", "campaign": "C", "occurredAt": ago(days=2)}
    clicked = {**mail, "kind": "CLICKED", "link": "https://s.test/a", "occurredAt": ago(days=1)}
    await gql.do("recordEmailEvents", "recorded", events=[{**mail, "kind": "SENT"}, clicked])
    families = [
        {"tag": {"hasAny": ["vip"]}},
        {"field": {"name": "city", "op": "IS", "value": "AIX"}},
        {"location": {"field": "COUNTRY", "op": "IS", "value": "FR"}},
        {"page": {"url": "/p", "device": "MOBILE"}},
        {"contact": {"field": "UTM_SOURCE", "op": "IS", "value": "ads"}},
        {"event": {"name": "Played"}},
        {"email": {"event": "CLICKED", "link": "https://s.test/a"}},
    ]
    assert await who({"all": families}) == ["ann"]
    assert await who({"all": families[:3]}) == ["ann", "bob"]
    assert await who({"any": families[3:]}) == ["ann"]


async def test_hs11_a_segment_of_those_with_points_enough(gql, who, make):
    for name in ("ann", "bob"):
        await make(name)
    ann = {"contact": {"field": "EMAIL", "op": "STARTS_WITH", "value": "ann"}}
    score = (await gql.do("createScore", "score { id }", name="Fit", rules=[{"where": ann, "points": 1}]))["score"][
        "id"
    ]
    contact = (await gql(FOUND.replace("email }", "id }"), where=ann))["contacts"]["nodes"][0]["id"]
    await gql.do("adjustScore", "contact { id }", contactId=contact, scoreId=score, op="ADD", points=12)
    segment = {"score": {"id": score, "op": "AT_LEAST", "value": 12}}
    made = await gql.do("createSegment", "segment { count }", name="Promising", where=segment)
    assert (made["segment"]["count"], await who(segment)) == (1, ["ann"])


async def test_q39_the_24_hours_are_for_levels_alone(gql, who, make, ago):
    await make("ann")
    mails = [
        {"kind": kind, "email": "ann@x.test", "campaign": f"C{number}", "occurredAt": ago(hours=hours)}
        for number in range(3)
        for kind, hours in (("SENT", 3), ("OPENED", 2))
    ]
    await gql.do("recordEmailEvents", "recorded", events=mails)
    assert await who({"email": {"event": "OPENED", "when": {"op": "IN_LAST", "value": {"hours": 24}}}}) == ["ann"]
    assert await who({"email": {"event": "OPENED", "atLeast": 3}}) == ["ann"]
    assert await who({"email": {"event": "OPENED", "atLeast": 4}}) == []
    assert await who({"engagement": {"is": "EVERYONE_ELSE"}}) == ["ann"]


async def test_sq12_sq13_sq14_bounds_are_included_and_absent_totals_are_in_none(gql, who, make):
    ids = {name: await make(name) for name in ("ann", "bob", "cid")}
    for at, (name, total) in enumerate((("ann", 45), ("bob", 44.99))):
        told = {"externalId": str(at), "contactId": ids[name], "occurredAt": "2026-03-31T10:00:00Z"}
        await gql.do("recordOrder", "order { id }", total=total, **told)
        await gql.do("recordDonation", "donation { id }", amount=total, **told)
    start = {"contactId": ids["ann"], "externalId": "m", "plan": "Gold", "startedAt": "2026-03-31T10:00:00Z"}
    await gql.do("recordPlanMembership", "planMembership { id }", **start)
    for key, total, last in (("purchase", "TOTAL_SPENT", "LAST_ORDER_AT"), ("donation", "TOTAL_GIVEN", "LAST_GIFT_AT")):
        for field, op, value, names in (
            (total, "AT_LEAST", 45, ["ann"]),
            (total, "AT_MOST", 45, ["ann", "bob"]),
            (total, "BETWEEN", [44.99, 45], ["ann", "bob"]),
            (last, "ON_OR_BEFORE", "2026-03-31", ["ann", "bob"]),
            (last, "ON_OR_AFTER", "2026-03-31", ["ann", "bob"]),
            (last, "BEFORE", "2026-03-31", []),
            (last, "AFTER", "2026-03-31", []),
        ):
            assert await who({key: {"field": field, "op": op, "value": value}}) == names, (field, op)
    for op, names in (("ON_OR_AFTER", ["ann"]), ("ON_OR_BEFORE", ["ann"]), ("AFTER", [])):
        assert await who({"plan": {"startedAt": {"op": op, "value": "2026-03-31"}}}) == names


async def test_what_is_absent_matches_no_operator_and_every_negation(gql, who, make):
    """Domain 3.3, row by row."""
    for name, type_ in (("city", "TEXT"), ("age", "NUMBER"), ("born", "DATE"), ("likes", "CHECKBOX")):
        options = {"options": ["red"]} if type_ == "CHECKBOX" else {}
        await gql.do("createField", "field { id }", name=name, label=name, type=type_, **options)
    await make("nobody")
    today = (await clock.now()).date()
    values = {"city": "Paris", "age": 30, "born": (today - timedelta(days=3)).isoformat(), "likes": ["red"]}
    await make("some", fieldValues=[{"name": name, "value": value} for name, value in values.items()])
    for name, op, value, names in (
        ("city", "IS_NOT", "PARIS", ["nobody"]),
        ("city", "NOT_CONTAINS", "%", ["nobody", "some"]),
        ("city", "IS_BLANK", None, ["nobody"]),
        ("likes", "IS_BLANK", None, ["nobody"]),
        ("age", "LESS_THAN", 30, []),
        ("age", "AT_MOST", 30, ["some"]),
        ("born", "IN_LAST", {"days": 3}, ["some"]),
        ("born", "IN_LAST", {"days": 2}, []),
        ("born", "IN_NEXT", {"days": 3}, []),
        ("born", "MORE_THAN_AGO", {"days": 2}, ["some"]),
        ("born", "ON_OR_BEFORE", values["born"], ["some"]),
        ("born", "BEFORE", values["born"], []),
    ):
        asked = {"name": name, "op": op} | ({} if value is None else {"value": value})
        assert await who({"field": asked}) == names, asked
    assert await who({"purchase": {"field": "TOTAL_SPENT", "op": "AT_MOST", "value": 100}}) == []
    assert await who({"contact": {"field": "IS_CUSTOMER", "op": "IS", "value": False}}) == ["nobody", "some"]
    assert await who({"email": {"event": "OPENED", "is": False}}) == ["nobody", "some"]
