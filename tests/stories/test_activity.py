"""The record of a contact gathers everything, and tells every change: once, newest first, and live."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from kit import clock
from schema.enums.activity import ActivityKind
from schema.types.sentences import SENTENCES
from tests.patience import PATIENCE_SECONDS
from tests.stories.team import step
from web.live import Hub

ACTIVITY = """
query ($id: ID!, $kinds: [ActivityKind!], $since: DateTime, $until: DateTime, $first: Int, $after: String) {
    contact(id: $id) {
        activity(kinds: $kinds, since: $since, until: $until, first: $first, after: $after) {
            nodes { id kind at text subjectId actor actorLabel data }
            pageInfo { hasNextPage endCursor }
            totalCount
        }
    }
}"""
THANK = step("thank", "addTag", tag="thanked")


class Record:
    """A contact and what is done to it, one mutation a line; each is told by these facts, as these sentences."""

    def __init__(self, gql, team, contact: str) -> None:
        self.gql, self.team, self.contact = gql, team, contact
        self.ids: dict[str, str] = {}

    async def prepare(self) -> None:
        self.ids["list"] = await self.team.list("News")
        await self.team.field("points")
        self.ids["journey"] = await self.team.automation(step("rest", "waitFor", duration={"days": 1}))

    async def note(self, mutation: str, **given) -> None:
        known = {"id": self.ids["note"]} if "note" in self.ids else {"contactId": self.contact}
        self.ids["note"] = (await self.gql.do(mutation, "note { id }", **known, **given))["note"]["id"]

    async def task(self, mutation: str, **given) -> None:
        known = {"id": self.ids["task"]} if "task" in self.ids else {"contactId": self.contact}
        self.ids["task"] = (await self.gql.do(mutation, "task { id }", **known, **given))["task"]["id"]

    async def update(self, **given) -> None:
        await self.gql.do("updateContact", "contact { id }", id=self.contact, **given)

    def changes(self) -> list[tuple[Callable[[], Awaitable[object]], str, str]]:
        """What is done, the kind of its one fact, and its sentence."""
        she, team = self.contact, self.team
        return [
            (lambda: self.update(firstName="Anna"), "FIELD_CHANGED", "Changed firstName: – → Anna"),
            (lambda: self.update(fieldValues=[{"name": "points", "value": 3}]), "FIELD_CHANGED", "points: – → 3"),
            (lambda: self.update(lifecycleStage="LEAD"), "LIFECYCLE_CHANGED", "SUBSCRIBER → LEAD"),
            (lambda: team.tag(she, "vip"), "TAG_ADDED", "Was given the tag: vip"),
            (lambda: team.untag(she, "vip"), "TAG_REMOVED", "Lost the tag: vip"),
            (lambda: team.subscribe(she, self.ids["list"]), "LIST_SUBSCRIBED", "Subscribed to: News"),
            (lambda: team.subscribe(she, self.ids["list"], "UNSUBSCRIBED"), "LIST_UNSUBSCRIBED", "Unsubscribed from"),
            (lambda: self.note("createNote", text="Likes tea"), "NOTE_ADDED", "Note written"),
            (lambda: self.note("updateNote", text="Likes coffee"), "NOTE_UPDATED", "Note rewritten"),
            (lambda: self.note("deleteNote", confirm=True), "NOTE_DELETED", "Note deleted"),
            (lambda: self.task("createTask", title="Call"), "TASK_CREATED", "Task created: Call"),
            (lambda: self.task("updateTask", title="Ring"), "TASK_UPDATED", "Task changed: Ring"),
            (lambda: self.task("updateTask", status="COMPLETE"), "TASK_COMPLETED", "Task completed: Ring"),
            (lambda: self.task("deleteTask", confirm=True), "TASK_DELETED", "Task deleted: Ring"),
            (lambda: team.enter(she, self.ids["journey"]), "AUTOMATION_ENTERED", "Entered: Journey"),
            (lambda: team.end(she, self.ids["journey"]), "AUTOMATION_ENDED", "Left: Journey"),
        ]


@pytest.fixture
async def record(gql, team) -> Record:
    made = Record(gql, team, await team.contact("anna@x.test"))
    await made.prepare()
    return made


async def test_ac23_the_feed_has_one_entry_a_change_newest_first(gql, record):
    expected = []
    for change, kind, text in record.changes():
        await change()
        expected.append((kind, text))
    activity = (await gql(ACTIVITY, id=record.contact))["contact"]["activity"]
    facts = activity["nodes"][::-1]
    assert [fact["kind"] for fact in facts] == ["CONTACT_CREATED", *(kind for kind, _ in expected)]
    assert activity["totalCount"] == len(expected) + 1
    for fact, (_, text) in zip(facts[1:], expected, strict=True):
        assert text in fact["text"]
        assert (fact["actor"].partition("_")[0].partition(":")[0], fact["actorLabel"]) == ("user", "Olga Owner")
    instants = [datetime.fromisoformat(fact["at"]) for fact in facts]
    assert instants == sorted(instants)
    about = {fact["kind"]: fact["subjectId"] for fact in facts}
    assert (about["LIST_SUBSCRIBED"], about["AUTOMATION_ENDED"]) == (record.ids["list"], record.ids["journey"])
    assert (about["TASK_CREATED"], about["NOTE_DELETED"]) == (record.ids["task"], record.ids["note"])
    assert about["LIFECYCLE_CHANGED"] is None
    seen = await gql("query ($id: ID!) { node(id: $id) { ... on Tag { name } } }", id=about["TAG_ADDED"])
    assert seen["node"] == {"name": "vip"}


async def test_ac23_every_kind_of_change_is_pushed_live(record):
    hub = Hub()
    number = int(record.contact.partition("_")[2])
    async with hub.listening():
        await hub.ready()
        for change, kind, _ in record.changes():
            news = hub.contacts(number)
            heard = asyncio.create_task(anext(news))
            await asyncio.sleep(0)
            await change()
            assert await asyncio.wait_for(heard, PATIENCE_SECONDS) == number, kind
            await news.aclose()


async def test_hs9_the_feed_is_filtered_and_paged(gql, record):
    changes = record.changes()
    for change, *_ in changes[:7]:
        await change()
    noon = (await clock.now()).isoformat()
    for change, *_ in changes[7:]:
        await change()

    async def found(**wanted) -> dict:
        return (await gql(ACTIVITY, id=record.contact, **wanted))["contact"]["activity"]

    tags = await found(kinds=["TAG_ADDED", "TAG_REMOVED"])
    assert [fact["kind"] for fact in tags["nodes"]] == ["TAG_REMOVED", "TAG_ADDED"]
    assert len((await found(since=noon))["nodes"]) == len(changes) - 7
    assert len((await found(until=noon))["nodes"]) == 7 + 1
    assert (await found(since=noon, kinds=["TAG_ADDED"]))["nodes"] == []

    whole, paged, after = (await found())["nodes"], [], None
    while True:
        page = await found(first=5, after=after)
        paged += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert paged == whole


async def test_ac23_one_query_returns_the_whole_record(gql, team, record):
    she = record.contact
    await record.update(firstName="Anna", fieldValues=[{"name": "points", "value": 3}])
    await team.tag(she, "vip")
    await team.subscribe(she, record.ids["list"])
    await record.note("createNote", text="Likes tea")
    await record.task("createTask", title="Call")
    await team.enter(she, record.ids["journey"])
    query = """query ($id: ID!) { contact(id: $id) {
        email firstName tags { name } memberships { list { name } status } fieldValues { field { name } value }
        tasks { nodes { title } } notes { nodes { text } } automations { automation { name } timesEntered }
        activity { totalCount nodes { text } }
    } }"""
    found = (await gql(query, id=she))["contact"]
    assert found["activity"].pop("totalCount") == len(found["activity"].pop("nodes")) == 8
    assert found == {
        "email": "anna@x.test",
        "firstName": "Anna",
        "tags": [{"name": "vip"}],
        "memberships": [{"list": {"name": "News"}, "status": "ACTIVE"}],
        "fieldValues": [{"field": {"name": "points"}, "value": 3}],
        "tasks": {"nodes": [{"title": "Call"}]},
        "notes": {"nodes": [{"text": "Likes tea"}]},
        "automations": [{"automation": {"name": "Journey"}, "timesEntered": 1}],
        "activity": {},
    }


def test_every_kind_of_fact_has_a_sentence():
    assert {kind.value for kind in ActivityKind} - set(SENTENCES) <= {"CONTACT_UPDATED"}
