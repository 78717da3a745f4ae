"""Bulk edits (AC24, HS5): one job for a whole set, told contact by contact where something could not be done."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import orjson
import pytest

from kit import clock
from kit import db as database
from kit.sql import Sql
from schema import execution
from schema.context import Context
from services import jobs as verbs
from services import tags
from services.caller import Role
from tests.stories.team import on, step
from web.live import Hub
from workflows import jobs

REFUSALS = "refusals { nodes { contactId action code } }"


@pytest.fixture
def small_pieces(monkeypatch) -> None:
    monkeypatch.setattr(verbs.fix, "__kwdefaults__", {"size": 2})


async def begin(gql, **given) -> str:
    return (await gql.do("bulkEdit", "job { id state }", **given))["job"]["id"]


async def codes(gql, **given) -> list[tuple[str, str]]:
    refused = await gql.refused("bulkEdit", "job { id }", **given)
    assert refused["job"] is None
    return [(each["code"], ".".join(each["path"][1:])) for each in refused["errors"]]


async def test_ac24_hs5_everything_at_once_and_one_refusal_undoes_nothing(gql, team, job, work, small_pieces):
    news, old = await team.list("News"), await team.list("Old")
    await team.field("points")
    rest = step("rest", "waitFor", duration={"days": 1})
    welcome = await team.automation(rest, triggers=[on("tagAdded", tag="hello")], active=False)
    people = [await team.contact(f"p{n}@bulk.test", tags=["old"]) for n in range(4)]
    ahead = await team.contact("ahead@bulk.test", lifecycleStage="EVANGELIST")
    gone = await team.contact("gone@bulk.test")
    for list_id in (news, old):
        await gql.do("setMembership", "membership { id }", contactId=gone, listId=list_id, status="UNSUBSCRIBED")
    await gql.do("setMembership", "membership { id }", contactId=people[0], listId=old, status="ACTIVE")
    assert await codes(gql, ids=people, enterAutomations=[welcome]) == [("AUTOMATION_NOT_ACTIVE", "enterAutomations.0")]
    await team.activate(welcome)

    begun = await begin(
        gql,
        ids=[*people, ahead, gone, "contact_999999999"],
        setFields=[{"name": "points", "value": 3}, {"name": "jobTitle", "value": "Boss"}],
        setLifecycle="LEAD",
        addTags=["vip", "New"],
        removeTags=["old"],
        addToLists=[news],
        unsubscribeFrom=[old],
        enterAutomations=[welcome],
    )
    assert (await job(begun))["state"] == "QUEUED"
    assert await work() == 5
    ended = await job(begun, REFUSALS)
    assert (ended["state"], ended["progress"], ended["error"]) == ("DONE", 1, None)
    assert (ended["total"], ended["done"], ended["unchanged"], ended["refused"]) == (7, 4, 0, 3)
    assert {(each["contactId"], each["action"], each["code"]) for each in ended["refusals"]["nodes"]} == {
        (ahead, "setLifecycle", "LIFECYCLE_BACKWARD"),
        (gone, "addToLists", "NOT_REACTIVATED"),
        ("contact_999999999", "ids", "NOT_FOUND"),
    }
    found = await gql(
        """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Contact {
            jobTitle lifecycleStage tags { name } memberships { status list { name } source }
            runs { nodes { entry { via label } } }
        } } }""",
        ids=[people[0], gone],
    )
    first, last = found["nodes"]
    assert (first["jobTitle"], first["lifecycleStage"]) == ("Boss", "LEAD")
    assert [tag["name"] for tag in first["tags"]] == [tag["name"] for tag in last["tags"]] == ["New", "vip"]
    assert {(each["list"]["name"], each["status"]) for each in first["memberships"]} == {
        ("News", "ACTIVE"),
        ("Old", "UNSUBSCRIBED"),
    }
    assert first["runs"]["nodes"] == [{"entry": {"via": "BULK", "label": "Added in bulk"}}]
    detail = await database.column(
        Sql("SELECT DISTINCT m.source_detail FROM membership m WHERE m.source_detail = 'BULK'")
    )
    assert detail == ["BULK"]

    again = await begin(gql, ids=people, addTags=["VIP"], endAutomations=[welcome])
    await work()
    assert (await job(again))["done"] == 4  # out of the automation; the tag they had
    again = await begin(gql, ids=people, addTags=["VIP"], endAutomations=[welcome])
    await work()
    assert ((await job(again))["done"], (await job(again))["unchanged"]) == (0, 4)


async def test_ac24_what_is_refused_at_once_names_every_fault(gql, team):
    somebody = await team.contact()
    assert await codes(gql, addTags=["a"]) == [("REQUIRED", "")]
    assert await codes(gql, ids=[somebody], where={"tag": {"hasAny": ["x"]}}, addTags=["a"]) == [("REQUIRED", "")]
    assert await codes(gql, ids=[somebody]) == [("REQUIRED", "")]
    assert await codes(gql, where={"all": []}, addTags=["a,b"], addToLists=["list_999999"]) == [
        ("EMPTY_SEGMENT", "where.all"),
        ("INVALID_VALUE", "addTags.0"),
        ("NOT_FOUND", "addToLists.0"),
    ]
    assert await codes(gql, segmentId="segment_99999", setFields=[{"name": "zzz", "value": 1}]) == [
        ("NOT_FOUND", "segmentId"),
        ("UNKNOWN_FIELD", "setFields.0.name"),
    ]
    assert not await database.value(Sql("SELECT count(*) FROM job"))


async def test_ac24_the_set_is_who_met_the_rule_when_the_job_began(gql, team, job, work, small_pieces):
    tagged = [await team.contact(tags=["a"]) for _ in range(5)]
    segment = (await gql.do("createSegment", "segment { id }", name="A", where={"tag": {"hasAny": ["a"]}}))["segment"]
    by_rule = await begin(gql, where={"tag": {"hasAny": ["a"]}}, removeTags=["a"])
    by_segment = await begin(gql, segmentId=segment["id"], addTags=["b"])
    await work(2)  # both are planned
    await team.contact(tags=["a"])
    await work()
    for each in (by_rule, by_segment):
        ended = await job(each)
        assert (ended["state"], ended["total"], ended["done"]) == ("DONE", 5, 5)
    assert len(tagged) == await database.value(
        Sql("SELECT count(*) FROM contact_tag ct JOIN tag t ON t.id = ct.tag_id WHERE t.name = 'b'")
    )


async def test_a_job_is_its_makers_and_can_be_called_off(gql, team, job, work, small_pieces):
    people = [await team.contact() for _ in range(6)]
    begun = await begin(gql, ids=people, addTags=["a"])
    await work(2)
    assert ((await job(begun))["state"], (await job(begun))["progress"]) == ("RUNNING", 0.3333)
    other = gql.as_(Role.MEMBER)
    other.caller = replace(other.caller, user_id=0)
    assert (await other("query ($id: ID!) { job(id: $id) { id } jobs { nodes { id } } }", id=begun)) == {
        "job": None,
        "jobs": {"nodes": []},
    }
    refused = await other.refused("cancelJob", "job { id }", id=begun)
    assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]
    assert (await gql.do("cancelJob", "job { state }", id=begun))["job"]["state"] == "CANCELLED"
    refused = await gql.refused("cancelJob", "job { id }", id=begun)
    assert [error["code"] for error in refused["errors"]] == ["JOB_ENDED"]
    await work()
    assert (await job(begun))["done"] == 2
    assert await database.value(Sql("SELECT count(*) FROM contact_tag")) == 2
    listed = await gql("{ jobs(kind: BULK_EDIT, state: CANCELLED) { nodes { id createdBy { name } } } }")
    assert listed["jobs"]["nodes"] == [{"id": begun, "createdBy": {"name": "Olga Owner"}}]
    assert not await database.value(Sql("SELECT (SELECT count(*) FROM job_lease) + (SELECT count(*) FROM job_piece)"))


async def test_jobs_are_watched_until_their_end(gql, team, work, small_pieces):
    people = [await team.contact() for _ in range(3)]
    begun = await begin(gql, ids=people, addTags=["a"])
    document = gql._documents.read("subscription ($id: ID!) { jobChanged(jobId: $id) { state progress } }")
    hub = Hub()
    async with hub.listening():
        await hub.ready()
        seen = []
        context = Context(replace(gql.caller, now=await clock.now()), "request-of-a-test", hub)
        async for answer in execution.stream(document, document.operation(None), {"id": begun}, context):
            seen.append(orjson.loads(orjson.dumps(answer.data))["jobChanged"])
            await jobs.pass_(await clock.now())
    assert seen[0] == {"state": "QUEUED", "progress": 0}
    assert seen[-1] == {"state": "DONE", "progress": 1}
    assert {"state": "RUNNING", "progress": 0.6667} in seen


async def test_a_piece_that_is_cut_off_is_as_if_it_had_never_begun(gql, team, job, work, small_pieces, monkeypatch):
    """Killed in the middle, called off in the middle, failing: the mark and the effects are one transaction."""
    people = [await team.contact() for _ in range(4)]
    begun = await begin(gql, ids=people, addTags=["a"])
    await work(2)
    real = tags.give

    async def killed(*args, **kwargs):
        await real(*args, **kwargs)
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(tags, "give", killed)
        with pytest.raises(asyncio.CancelledError):
            await jobs.pass_(await clock.now())
    assert (await job(begun))["done"] == await database.value(Sql("SELECT count(*) FROM contact_tag")) == 2

    async def faulty(*args, **kwargs):
        await real(*args, **kwargs)
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(tags, "give", faulty)
        await work()
    assert (await job(begun))["state"] == "RUNNING"  # it rests before it tries again
    assert await database.value(Sql("SELECT jb.attempt FROM job jb")) == 1
    await database.execute(Sql("UPDATE job_lease SET due_at = due_at - interval '1 hour'"))
    await work()
    ended = await job(begun)
    assert (ended["state"], ended["done"]) == ("DONE", 4)
    assert await database.value(Sql("SELECT count(*) FROM event e WHERE e.kind = 'TAG_ADDED'")) == 4

    with monkeypatch.context() as patch:
        patch.setattr(tags, "give", faulty)
        broken = await begin(gql, ids=people, addTags=["b"])
        for _ in range(6):
            await work()
            await database.execute(Sql("UPDATE job_lease SET due_at = due_at - interval '1 hour'"))
    ended = await job(broken)
    assert (ended["state"], ended["done"], ended["error"]) == ("FAILED", 0, jobs.BROKEN)


async def test_two_workers_share_the_jobs_and_never_a_piece(gql, team, job, small_pieces):
    people = [await team.contact() for _ in range(8)]
    begun = [await begin(gql, ids=people, addTags=[name]) for name in "abc"]

    async def worker() -> None:
        for _ in range(40):
            await jobs.pass_(await clock.now())

    await asyncio.gather(worker(), worker(), worker())
    for each in begun:
        ended = await job(each)
        assert (ended["state"], ended["done"]) == ("DONE", 8)
    assert await database.value(Sql("SELECT count(*) FROM event e WHERE e.kind = 'TAG_ADDED'")) == 24
