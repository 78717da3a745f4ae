"""People watch: a run that moves and a contact that changes are told to whoever looks at them, as they are now."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from kit import clock
from schema import execution
from schema.context import Context
from tests.stories.team import step, tagged, walked
from web.live import Hub

WATCH_RUNS = """subscription ($run: ID, $automation: ID, $contact: ID) {
    runChanged(runId: $run, automationId: $automation, contactId: $contact) {
        id state percentComplete contact { email } path { stepId status reason branch }
    }
}"""
WATCH_CONTACT = "subscription ($contact: ID!) { contactChanged(contactId: $contact) { firstName tags { name } } }"


class Watcher:
    """What a subscription told so far."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.over = False

    async def hears(self, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Waits until this was told last, for five seconds at most."""
        async with asyncio.timeout(5):
            while not self.told or not what(self.told[-1]):
                await asyncio.sleep(0.01)
        return self.told[-1]


@pytest.fixture
async def watch(gql) -> AsyncIterator[Any]:
    """`await watch(subscription, variables)`: from now on the watcher hears."""
    hub, tasks = Hub(), []

    async def begin(subscription: str, **variables: Any) -> Watcher:
        document, watcher = gql._documents.read(subscription), Watcher()
        context = Context(replace(gql.caller, now=await clock.now()), "request-of-a-test", hub)

        async def listen() -> None:
            async for answer in execution.stream(document, document.operation(None), variables, context):
                assert not answer.errors, answer.errors
                watcher.told += orjson.loads(orjson.dumps(answer.data)).values()
            watcher.over = True

        tasks.append(asyncio.create_task(listen()))
        await asyncio.sleep(0.05)
        return watcher

    async with hub.listening():
        await hub.ready()
        yield begin
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_a_run_is_seen_moving_from_its_entry_to_its_end(team, work, watch):
    hope = step("hope", "waitUntilCondition", "thank", where=tagged("vip"))
    journey = await team.automation(hope, step("thank", "addTag", tag="thanked"))
    watcher = await watch(WATCH_RUNS, automation=journey)
    ann = await team.contact("ann@story.test")
    await team.enter(ann, journey)
    await watcher.hears(lambda run: run["state"] == "RUNNING")
    await work()
    resting = await watcher.hears(lambda run: run["state"] == "WAITING")
    assert walked(resting) == ["… hope"]
    await team.tag(ann, "vip")
    await work()
    ended = await watcher.hears(lambda run: run["state"] == "ENDED")
    assert (walked(ended), ended["percentComplete"]) == (["✓ hope", "✓ thank"], 100)
    assert ended["contact"] == {"email": "ann@story.test"}


async def test_who_watches_one_hears_nothing_of_others(team, work, watch):
    journey = await team.automation(step("thank", "addTag", tag="thanked"))
    ann, bob = await team.contact("ann@story.test"), await team.contact("bob@story.test")
    of_bob, of_contact_ann = await watch(WATCH_RUNS, contact=bob), await watch(WATCH_CONTACT, contact=ann)
    await team.enter(ann, journey)
    await work()
    assert (await of_contact_ann.hears(lambda contact: contact["tags"])) == {
        "firstName": None, "tags": [{"name": "thanked"}]
    }  # fmt: skip
    assert of_bob.told == []
    await team.enter(bob, journey)
    await of_bob.hears(lambda run: run["contact"]["email"] == "bob@story.test")


async def test_what_was_refused_is_not_told_and_a_deletion_ends_the_watch(gql, team, watch):
    ann = await team.contact("ann@story.test", firstName="Ann")
    watcher = await watch(WATCH_CONTACT, contact=ann)
    await gql.refused("updateContact", id=ann, firstName="Anna", email="none")
    await gql.do("updateContact", "contact { id }", id=ann, firstName="Anne")
    assert (await watcher.hears(lambda contact: True))["firstName"] == "Anne"
    await gql.do("deleteContact", "contact { id }", id=ann, confirm=True)
    async with asyncio.timeout(5):
        while not watcher.over:
            await asyncio.sleep(0.01)
