"""Points for what contacts are and do, and what follows from a score (AC27, HS11, HS12, domain.md 2.3 and 2.4)."""

from __future__ import annotations

from typing import Any

import pytest

from services.caller import Role
from tests.stories.team import on, step, tagged, walked

SCORE = "score { id name description rules { id label where points expiresAfter mode } }"
VISITED = {"page": {"url": "/pricing", "atLeast": 2}}


@pytest.fixture
def totals(gql) -> Any:
    async def read(contact: str) -> dict[str, int]:
        query = "query ($id: ID) { contact(id: $id) { scores { score { name } total changedAt } } }"
        found = (await gql(query, id=contact))["contact"]["scores"]
        assert all((each["changedAt"] is None) <= (each["total"] == 0) for each in found)
        return {each["score"]["name"]: each["total"] for each in found}

    return read


@pytest.fixture
def make(gql) -> Any:
    async def score(name: str, *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
        return (await gql.do("createScore", SCORE, name=name, rules=list(rules), **more))["score"]

    return score


async def matching(gql, where: dict[str, Any]) -> set[str]:
    found = await gql("query ($w: ConditionInput) { contacts(where: $w) { nodes { id } } }", w=where)
    return {each["id"] for each in found["contacts"]["nodes"]}


async def test_ac27_two_rules_make_twenty_and_a_new_rule_counts_for_who_was_there_before(team, gql, work, make, totals):
    ann, bob = await team.contact(tags=["vip", "old"]), await team.contact(tags=["vip"])
    score = await make("Fit", {"where": tagged("vip"), "points": 10}, {"where": tagged("old"), "points": 10})
    await work()
    assert (await totals(ann), await totals(bob)) == ({"Fit": 20}, {"Fit": 10})
    assert [rule["label"] for rule in score["rules"]]
    assert score["rules"][0]["mode"] == "STICKY"
    at_least = {"score": {"id": score["id"], "op": "AT_LEAST", "value": 20}}
    assert await matching(gql, at_least) == {ann}

    kept = [{"id": rule["id"], "where": rule["where"], "points": rule["points"]} for rule in score["rules"]]
    minus = {"where": tagged("vip"), "points": -25, "label": "Too dear"}
    await gql.do("updateScore", SCORE, id=score["id"], rules=[*kept, minus])
    await work()
    assert (await totals(ann), await totals(bob)) == ({"Fit": -5}, {"Fit": -15})
    await team.untag(ann, "vip", "old")
    await work()
    assert await totals(ann) == {"Fit": -5}, "STICKY"
    activity = "query ($id: ID) { contact(id: $id) { activity(kinds: [SCORE_CHANGED]) { nodes { text } } } }"
    told = (await gql(activity, id=bob))["contact"]["activity"]["nodes"]
    assert told[0] == {"text": "Fit: 10 → -15 (Too dear)"}

    await gql.do("deleteScore", "score { name }", id=score["id"])
    assert (await totals(ann), await matching(gql, at_least)) == ({}, set())
    assert await matching(gql, {"not": at_least}) == {ann, bob}
    assert (await gql("{ scores { id } }"))["scores"] == []


async def test_points_of_a_live_rule_go_and_those_with_an_end_end(team, time, work, make, totals):
    ann = await team.contact(tags=["vip"])
    await make("Live", {"where": tagged("vip"), "points": 3, "mode": "LIVE"})
    await make("Short", {"where": tagged("vip"), "points": 4, "expiresAfter": {"days": 30}})
    await work()
    assert await totals(ann) == {"Live": 3, "Short": 4}
    await team.untag(ann, "vip")
    await work()
    assert await totals(ann) == {"Live": 0, "Short": 4}
    await time.passes(days=30)
    await team.tag(ann, "vip")
    await work()
    assert await totals(ann) == {"Live": 3, "Short": 0}, "it had these points once"


async def test_who_crosses_into_a_range_enters_and_who_moves_inside_it_does_not(team, gql, work, make, totals):
    score = await make("Interest")
    hot = [step("greet", "addTag", tag="hot")]
    above = await team.automation(*hot, triggers=[on("scoreChanged", scoreId=score["id"], above=10)])
    between = await team.automation(
        *hot, triggers=[on("scoreChanged", scoreId=score["id"], between={"from": 5, "to": 10})]
    )
    below = await team.automation(*hot, triggers=[on("scoreChanged", scoreId=score["id"], below=0)])
    ann = await team.contact()
    entries = []
    for op, points in (("ADD", 10), ("ADD", 1), ("ADD", 5), ("SUBTRACT", 16), ("SET", 12), ("SET", -1), ("SET", -2)):
        given = {"contactId": ann, "scoreId": score["id"], "op": op, "points": points}
        await gql.as_(Role.MEMBER).do("adjustScore", "contact { id }", **given)
        await work()
        entries.append(tuple([len(await team.runs(ann, each)) for each in (above, between, below)]))
    assert entries == [(0, 1, 0), (1, 1, 0), (1, 1, 0), (1, 1, 0), (2, 1, 0), (2, 1, 1), (2, 1, 1)]
    assert (await team.runs(ann, above))[0]["entry"]["label"] == "Interest came to 11"
    for faulty in ({}, {"above": 1, "below": 2}, {"between": {"from": 2, "to": 1}}):
        triggers = [on("scoreChanged", scoreId=score["id"], **faulty)]
        refused = await gql.refused("createAutomation", name="X", triggers=triggers, steps=hot)
        assert [error["code"] for error in refused["errors"]] == ["REQUIRED" if len(faulty) != 1 else "INVALID_VALUE"]


async def test_an_automation_gives_points_for_a_while(team, time, work, make, totals):
    score = (await make("Interest"))["id"]
    add = step("add", "adjustScore", "set", scoreId=score, points=5, expiresAfter={"days": 1})
    journey = await team.automation(add, step("set", "adjustScore", scoreId=score, points=5, op="SET"))
    ann = await team.contact()
    run = await team.enter(ann, journey)
    await work()
    run = await team.run(run)
    assert (walked(run), run["path"][1]["detail"]) == (["✓ add", "✓ set"], {"noop": True})
    assert await totals(ann) == {"Interest": 5}
    await time.passes(days=1)
    await work()
    assert await totals(ann) == {"Interest": 0}


async def test_who_looks_at_prices_twice_scores_and_visits_let_contacts_in(team, gql, work, make, totals):
    """Visits and events told by a program: of contacts, by address, and of browsers that turn out to be somebody's."""
    await make("Interest", {"where": VISITED, "points": 7, "mode": "LIVE"})
    greet = step("greet", "addTag", tag="seen")
    priced = await team.automation(greet, triggers=[on("pageVisited", url="shop.test/pricing*")])
    played = await team.automation(greet, triggers=[on("eventRecorded", name="played", value="INTRO")])
    ann = await team.contact("ann@story.test")
    browser = "0b2f5a0c-3df6-4f5f-8f3e-0d6f4a1c2b3d"

    async def tell(pages: list[dict[str, Any]], events: list[dict[str, Any]]) -> None:
        found = await gql.do("recordEvents", "recorded", pages=pages, events=events)
        assert found["recorded"] == len(pages) + len(events)
        await work()

    async def entered() -> tuple[int, int]:
        return len(await team.runs(ann, priced)), len(await team.runs(ann, played))

    await tell([{"visitor": browser, "url": "https://shop.test/pricing/", "occurredAt": "2026-01-01T10:00:00Z"}], [])
    assert (await entered(), await totals(ann)) == ((0, 0), {"Interest": 0})
    await tell([], [{"visitor": browser, "email": "ANN@story.test", "name": "Played", "value": "intro"}])
    assert (await entered(), await totals(ann)) == ((0, 1), {"Interest": 0}), "what was before lets nobody in"
    long_ago = {"page": {"url": "/pricing", "when": {"op": "BEFORE", "value": "2026-02-01"}}}
    assert await matching(gql, long_ago) == {ann}
    await tell([{"contactId": ann, "url": "https://shop.test/pricing?utm_source=mail", "device": "TABLET"}], [])
    assert (await entered(), await totals(ann)) == ((1, 1), {"Interest": 7})
    assert await matching(gql, {"contact": {"field": "UTM_SOURCE", "op": "IS_BLANK"}}) == {ann}, "of the first visit"

    refused = await gql.refused(
        "recordEvents",
        pages=[{"url": "nowhere", "email": "x@story.test"}, {"url": "https://x.test"}],
        events=[{"name": "x", "contactId": "contact_999999", "value": {"a": 1}, "occurredAt": "2999-01-01T00:00:00Z"}],
    )
    assert [(error["code"], ".".join(error["path"])) for error in refused["errors"]] == [
        ("INVALID_VALUE", "input.pages.0.url"),
        ("REQUIRED", "input.pages.1.contactId"),
        ("WRONG_TYPE", "input.events.0.value"),
        ("OUT_OF_RANGE", "input.events.0.occurredAt"),
    ]
    refused = await gql.refused("recordEvents", pages=[{"url": "https://x.test", "email": "x@story.test"}])
    assert [error["path"] for error in refused["errors"]] == [["input", "pages", "0", "email"]]

    once = {"events": [{"contactId": ann, "name": "Paid"}], "idempotencyKey": "k"}
    told = [(await gql.do("recordEvents", "recorded", **once))["recorded"] for _ in range(2)]
    refused = await gql.refused("recordEvents", **once | {"pages": [{"contactId": ann, "url": "https://x.test"}]})
    assert [error["code"] for error in refused["errors"]] == ["IDEMPOTENCY_MISMATCH"]
    paid = [await matching(gql, {"event": {"name": "paid", "atLeast": count}}) for count in (1, 2)]
    assert (told, paid) == ([1, 1], [{ann}, set()]), "told twice, done once"


async def test_where_a_contact_is_people_say_and_else_visits_do(team, gql):
    where = "contact { location { country region city postalCode timezone told } }"
    given = {"country": "France", "city": "Lille", "postalCode": "59000", "timezone": "Europe/Paris"}
    ann = await team.contact(location=given)
    found = await gql.do("updateContact", where, id=ann, location={"city": "Paris", "postalCode": None})
    assert found["contact"]["location"] == {
        "country": "FR",
        "region": None,
        "city": "Paris",
        "postalCode": None,
        "timezone": "Europe/Paris",
        "told": True,
    }
    french = {"location": {"field": "COUNTRY", "op": "IS", "value": "FR"}}
    assert await matching(gql, french) == {ann}
    found = await gql.do("updateContact", where, id=ann, location=None)
    assert found["contact"]["location"]["told"] is False
    refused = await gql.refused("updateContact", where, id=ann, location={"country": "Narnia", "timezone": "Moon/Base"})
    assert [error["path"] for error in refused["errors"]] == [
        ["input", "location", "country"],
        ["input", "location", "timezone"],
    ]
