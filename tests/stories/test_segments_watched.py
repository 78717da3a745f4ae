"""Segments that automations wait at: who comes in or leaves by a change, by time or by another rule enters, once."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

import orjson
import pytest

from kit import clock
from kit import db as database
from kit.sql import Sql
from schema import execution
from schema.context import Context
from services import watching
from tests.stories.team import on, step, tagged
from web.live import Hub


async def segment(gql, name: str, where: dict[str, Any]) -> str:
    return (await gql.do("createSegment", "segment { id }", name=name, where=where))["segment"]["id"]


@pytest.fixture
def waits(team):
    """`await waits(segment)`: two automations, for who comes into a segment and for who leaves it."""

    async def both(segment: str) -> tuple[str, str]:
        return tuple(
            [
                await team.automation(step("end", "end"), triggers=[on(kind, segmentId=segment)])
                for kind in ("segmentEntered", "segmentLeft")
            ]
        )

    return both


@pytest.fixture
def times(team):
    """`await times(contact, automations)`: how often the contact entered each."""

    async def count(contact: str, automations: tuple[str, ...]) -> tuple[int, ...]:
        return tuple([len(await team.runs(contact, automation)) for automation in automations])

    return count


async def test_who_comes_into_a_segment_or_leaves_it_enters_once_each_time(gql, team, work, waits, times):
    vips = await segment(gql, "VIPs", tagged("vip"))
    bob = await team.contact(tags=["vip"])
    both = await waits(vips)
    ann = await team.contact()
    await work()
    assert (await times(ann, both), await times(bob, both)) == ((0, 0), (0, 0))  # who is in it is not told of
    await team.tag(ann, "VIP")
    await work()
    assert await times(ann, both) == (1, 0)
    await team.tag(ann, "other")
    await gql.do("updateContact", "contact { id }", id=ann, firstName="Ann")
    await work()
    assert await times(ann, both) == (1, 0)
    await team.untag(ann, "vip")
    await team.untag(bob, "vip")
    await work()
    assert (await times(ann, both), await times(bob, both)) == ((1, 1), (0, 1))
    await team.tag(ann, "vip")
    await work()
    assert await times(ann, both) == (2, 1)
    [run] = await team.runs(bob, both[1])
    assert run["entry"]["label"] == "Left VIPs"
    query = "query ($id: ID!) { contact(id: $id) { activity(first: 50) { nodes { kind text } } } }"
    told = (await gql(query, id=ann))["contact"]["activity"]["nodes"]
    assert {"kind": "SEGMENT_ENTERED", "text": "Came into: VIPs"} in told


async def test_time_alone_brings_contacts_in_and_takes_them_out(gql, team, work, waits, times, time):
    await team.field("trial", "DATETIME")
    await team.field("birthday", "DATE")
    recent = await segment(gql, "Recent", {"tagged": {"tag": "trial", "at": {"op": "IN_LAST", "value": {"days": 3}}}})
    lapsed = await segment(
        gql,
        "Lapsed",
        {"contact": {"field": "CREATED_AT", "op": "MORE_THAN_AGO", "value": {"months": 1}}},
    )
    both, old = await waits(recent), await waits(lapsed)
    ann = await team.contact(tags=["trial"])
    await work()
    assert (await times(ann, both), await times(ann, old)) == ((1, 0), (0, 0))
    await time.passes(days=2, hours=23)
    await work()
    assert await times(ann, both) == (1, 0)
    await time.passes(hours=2)
    await work()
    assert (await times(ann, both), await times(ann, old)) == ((1, 1), (0, 0))
    await time.passes(days=30)
    await work()
    assert (await times(ann, both), await times(ann, old)) == ((1, 1), (1, 0))
    assert await database.value(Sql("SELECT count(*) FROM watch_flip")) <= 1


async def test_a_rule_that_is_edited_moves_people_also_by_the_segments_it_is_made_of(gql, team, work, waits, times):
    inner = await segment(gql, "Inner", tagged("vip"))
    outer = await segment(gql, "Outer", {"all": [{"segment": {"id": inner}}, {"not": tagged("gone")}]})
    both = await waits(outer)
    vip, gold = await team.contact(tags=["vip"]), await team.contact(tags=["gold"])
    await work()
    await gql.do("updateSegment", "segment { id }", id=inner, where=tagged("gold"))
    await work()
    assert (await times(vip, both), await times(gold, both)) == ((1, 1), (1, 0))
    await gql.do("deleteTag", "tag { id }", id=await tag(gql, "gold"), confirm=True)
    await work()
    assert await times(gold, both) == (1, 1)
    await gql.do("updateTag", "tag { id }", id=await tag(gql, "vip"), name="gold")  # the name the rule still has
    await work()
    assert await times(vip, both) == (2, 1)
    await gql.do("deleteSegment", "segment { id }", id=inner)
    await work()
    assert await times(vip, both) == (2, 2)


async def tag(gql, name: str) -> str:
    tags = (await gql("{ tags { nodes { id name } } }"))["tags"]["nodes"]
    return next(each["id"] for each in tags if each["name"] == name)


async def test_nobody_watches_what_nobody_waits_for(gql, team, work, waits):
    vips = await segment(gql, "VIPs", tagged("vip"))
    await team.contact(tags=["vip"])
    both = await waits(vips)
    await work()
    assert await database.value(Sql("SELECT count(*) FROM watch_member")) == 1
    for automation in both:
        await team.deactivate(automation)
    await work()
    assert await database.value(Sql("SELECT count(*) FROM watch_member")) == 0
    assert await database.value(Sql("SELECT count(*) FROM watch")) == 0
    await team.contact(tags=["vip"])
    assert await database.value(Sql("SELECT count(*) FROM touched_contact")) == 0
    await watching.refresh()


async def test_who_looks_at_a_segment_sees_people_come_and_go(gql, team, work, hub, time):
    vips = await segment(gql, "VIPs", tagged("vip"))
    bob = await team.contact("bob@story.test", tags=["vip"])
    watch = """subscription ($id: ID!) { segmentChanged(segmentId: $id) {
        segment { name count } entered { email } left { email } complete
    } }"""
    async with subscribed(gql, hub, watch, id=vips) as news:
        nothing = {"segment": {"name": "VIPs", "count": 1}, "entered": [], "left": [], "complete": True}
        assert await news() == nothing
        ann = await team.contact("ann@story.test")
        await team.tag(ann, "vip")
        await work()
        assert await news() == {
            **nothing,
            "segment": {"name": "VIPs", "count": 2},
            "entered": [{"email": "ann@story.test"}],
        }
        await team.untag(bob, "vip")
        await work()
        assert await news() == {**nothing, "left": [{"email": "bob@story.test"}]}
        await gql.do("updateSegment", "segment { id }", id=vips, where={"not": tagged("vip")})
        await work()
        swapped = await news()
        while not (swapped["entered"] and swapped["left"]):  # who left and who came may be told one after the other
            more = await news()
            swapped = {key: swapped[key] or more[key] for key in swapped}
        assert (swapped["entered"], swapped["left"]) == ([{"email": "bob@story.test"}], [{"email": "ann@story.test"}])
    await database.execute(Sql("UPDATE watch_lease SET until = now()"))
    await work()
    assert await database.value(Sql("SELECT count(*) FROM watch")) == 0
    refused = subscribed(gql, hub, watch, id="segment_999999999")
    async with refused as news:
        with pytest.raises(AssertionError, match="NOT_FOUND"):
            await news()


@pytest.fixture
async def hub(db):
    """What the web door listens with."""
    found = Hub()
    async with found.listening():
        await found.ready()
        yield found


@contextlib.asynccontextmanager
async def subscribed(gql, hub: Hub, text: str, **variables: Any):
    """`await news()`: the next answer of a subscription."""
    document = gql._documents.read(text)
    context = Context(replace(gql.caller, now=await clock.now()), "request-of-a-test", hub)
    async with contextlib.aclosing(execution.stream(document, document.operation(None), variables, context)) as answers:

        async def news() -> dict[str, Any]:
            async with asyncio.timeout(5):
                answer = await anext(answers)
            assert not answer.errors, answer.errors
            return orjson.loads(orjson.dumps(answer.data))["segmentChanged"]

        yield news
