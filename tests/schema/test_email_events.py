"""What others tell of e-mails: each event for itself, once, tied to the e-mail it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kit import clock
from kit import db as database

ANSWER = "results recorded campaigns { id name } warnings { code path }"


@pytest.fixture
async def at(db):
    """So many days ago, as the API writes it."""
    now = await clock.now()
    return lambda days: (now - timedelta(days=days)).astimezone(UTC).isoformat()


@pytest.fixture
def tell(gql):
    """Record these events: the payload, which must have no errors."""

    async def tell(*events, selection=ANSWER):
        return await gql.do("recordEmailEvents", selection, events=list(events))

    return tell


@pytest.fixture
async def ann(gql):
    made = await gql.do("createContact", "contact { id }", email="ann@events.test")
    return made["contact"]["id"]


async def activity(gql, contact):
    query = "query ($id: ID!) { contact(id: $id) { activity { nodes { kind text } } } }"
    nodes = (await gql(query, id=contact))["contact"]["activity"]["nodes"]
    return [(node["kind"], node["text"]) for node in nodes if node["kind"].startswith("EMAIL_")]


async def test_an_email_and_what_came_of_it_are_told_in_one_go(gql, tell, at, ann):
    """The campaign is made when it is named, a click without an open is both, and all is in the activity."""
    events = [
        {
            "kind": "CLICKED",
            "email": "ANN@events.test",
            "campaign": "spring sale",
            "occurredAt": at(2),
            "link": "https://x.test/a",
        },
        {"kind": "SENT", "email": "ann@events.test", "campaign": "Spring sale", "occurredAt": at(3)},
    ]
    told = await tell(*events)
    assert (told["results"], told["recorded"]) == (["RECORDED", "RECORDED"], 2)
    assert [each["name"] for each in told["campaigns"]] == ["Spring sale"]
    assert await activity(gql, ann) == [
        ("EMAIL_CLICKED", "Clicked in an e-mail: Spring sale: https://x.test/a"),
        ("EMAIL_OPENED", "Opened an e-mail: Spring sale"),
        ("EMAIL_SENT", "Was sent an e-mail: Spring sale"),
    ]
    again = await tell(*events)
    assert (again["results"], again["recorded"]) == (["DUPLICATE", "DUPLICATE"], 0)
    assert len(await activity(gql, ann)) == 3
    found = (await gql('{ campaigns(search: "spring") { nodes { id name } } }'))["campaigns"]["nodes"]
    assert found == told["campaigns"]


async def test_an_event_is_about_the_email_it_names_or_the_latest_before_it(gql, tell, at, ann):
    sent = {"kind": "SENT", "contactId": ann, "externalSource": "esp"}
    await tell(
        {**sent, "sendId": "one", "campaign": "A", "occurredAt": at(9)},
        {**sent, "sendId": "two", "campaign": "A", "occurredAt": at(6)},
        {**sent, "sendId": "three", "campaign": "B", "occurredAt": at(3)},
    )
    of = {"kind": "OPENED", "contactId": ann}
    told = await tell(
        {**of, "occurredAt": at(1)},  # B, the latest of all
        {**of, "campaign": "a", "occurredAt": at(5)},  # the second of A
        {**of, "campaign": "A", "occurredAt": at(7)},  # the first of A
        {**of, "sendId": "one", "externalSource": "esp", "occurredAt": at(1)},
        {**of, "occurredAt": at(20)},  # before all: the first
    )
    assert told["results"] == ["RECORDED"] * 5
    texts = [text for kind, text in await activity(gql, ann) if kind == "EMAIL_OPENED"]
    assert sorted(texts) == ["Opened an e-mail: A"] * 4 + ["Opened an e-mail: B"]


async def test_events_of_an_external_id_are_recorded_once(gql, tell, at, ann):
    sent = {"kind": "SENT", "contactId": ann, "sendId": "m-1", "externalId": "e-1", "occurredAt": at(2)}
    opened = {**sent, "kind": "OPENED", "externalId": "e-2", "occurredAt": at(1)}
    assert (await tell(sent, opened, opened))["results"] == ["RECORDED", "RECORDED", "DUPLICATE"]
    moved = {**opened, "occurredAt": at(0.5)}
    assert (await tell({**sent, "occurredAt": at(1)}, moved))["results"] == ["DUPLICATE", "DUPLICATE"]
    other = {**moved, "externalId": "e-3"}
    assert (await tell(other))["results"] == ["RECORDED"]
    bob = (await gql.do("createContact", "contact { id }", email="bob@events.test"))["contact"]["id"]
    refused = await gql.refused("recordEmailEvents", ANSWER, events=[{**sent, "contactId": bob}])
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [
        ("DUPLICATE", ["input", "events", "0", "sendId"])
    ]


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"contactId": "contact_999999"}, "NOT_FOUND", "contactId"),
    ({"contactId": "nonsense"}, "NOT_FOUND", "contactId"),
    ({"email": "nobody@events.test"}, "NOT_FOUND", "email"),
    ({"email": "no address"}, "EMAIL_INVALID", "email"),
    ({}, "REQUIRED", "contactId"),
    ({"email": "ann@events.test", "contactId": "contact_1"}, "REQUIRED", "contactId"),
    ({"email": "ann@events.test", "campaign": "nul \0"}, "NUL_CHARACTER", "campaign"),
    ({"email": "ann@events.test", "campaignId": "campaign_999999"}, "NOT_FOUND", "campaignId"),
    ({"email": "ann@events.test", "campaignId": "campaign_1", "campaign": "A"}, "INVALID_VALUE", "campaign"),
    ({"email": "ann@events.test", "messageId": "message_999999"}, "NOT_FOUND", "messageId"),
    ({"email": "ann@events.test", "kind": "OPENED"}, "NOT_FOUND", "contactId"),
    ({"email": "ann@events.test", "kind": "OPENED", "sendId": "x"}, "NOT_FOUND", "sendId"),
    ({"email": "ann@events.test", "kind": "OPENED", "campaign": "never"}, "NOT_FOUND", "campaign"),
    ({"email": "ann@events.test", "occurredAt": -1}, "OUT_OF_RANGE", "occurredAt"),
    ({"email": "ann@events.test", "link": "x" * 2001}, "TOO_LONG", "link"),
]


async def test_a_refused_event_keeps_no_other_back(gql, tell, at, ann):
    """Each with its path; where none is left, all is refused and nothing kept, not even a campaign."""
    faulty = [{"kind": "SENT", **given} for given, _, _ in FAULTS]
    for each in faulty:
        if "occurredAt" in each:
            each["occurredAt"] = at(each["occurredAt"])
    expected = [(code, ["input", "events", str(place), name]) for place, (_, code, name) in enumerate(FAULTS)]
    refused = await gql.refused("recordEmailEvents", ANSWER, events=faulty)
    assert refused["results"] is None
    assert sorted((error["code"], error["path"]) for error in refused["errors"]) == sorted(expected)
    ahead = datetime.now(UTC) + timedelta(minutes=4)  # clocks differ a little
    await gql.do("createContact", "contact { id }", email="bob@events.test")
    good = {"kind": "SENT", "email": "bob@events.test", "occurredAt": ahead.isoformat()}
    told = await tell(*faulty, good)
    assert sorted((each["code"], each["path"]) for each in told["warnings"]) == sorted(expected)
    assert told["results"] == ["REFUSED"] * len(FAULTS) + ["RECORDED"]
    refused = await gql.refused("recordEmailEvents", ANSWER, events=[])
    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("REQUIRED", ["input", "events"])]


async def test_a_thousand_events_are_one_call(tell, at, ann):
    """As many statements as for two, and well within a second."""
    sent = [{"kind": "SENT", "contactId": ann, "sendId": f"s-{n}", "occurredAt": at(3)} for n in range(500)]
    opened = [{**each, "kind": "OPENED", "occurredAt": at(1)} for each in sent]
    with database.counting() as few:
        await tell(sent[0], opened[0])
    with database.counting() as many:
        assert (await tell(*opened, *sent))["recorded"] == 998
    assert len(many.statements) == len(few.statements)
