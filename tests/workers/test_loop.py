"""The loop of a worker: one pass at a time, until there is nothing left."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from tests.patience import PATIENCE_SECONDS
from workers.loop import MUCH, Loop


@pytest.fixture
async def running():
    """Starts loops, and stops them after the test."""
    started: list[tuple[Loop, asyncio.Task[None]]] = []

    def start(work, helper: Loop | None = None) -> Loop:
        loop = Loop("test", work, helper)
        started.append((loop, asyncio.create_task(loop.run())))
        return loop

    yield start
    for loop, task in started:
        loop.stop()
        await asyncio.wait_for(task, PATIENCE_SECONDS)


async def test_passes_follow_each_other_until_one_finds_nothing(db, running):
    found, dry = [3, 2, 0, 9], asyncio.Event()

    async def work(now: datetime) -> int:
        handled = found.pop(0)
        if handled == 0:
            dry.set()
        return handled

    running(work).ring()
    await asyncio.wait_for(dry.wait(), PATIENCE_SECONDS)
    await asyncio.sleep(0.05)
    assert found == [9]


async def test_rings_during_a_pass_are_one_more_pass_and_never_two_at_once(db, running):
    passes, at_once, most, go_on = 0, 0, 0, asyncio.Event()

    async def work(now: datetime) -> int:
        nonlocal passes, at_once, most
        passes, at_once = passes + 1, at_once + 1
        most = max(most, at_once)
        await go_on.wait()
        at_once -= 1
        return 0

    loop = running(work)
    loop.ring()
    while passes == 0:
        await asyncio.sleep(0.01)
    for _ in range(100):
        loop.ring()
    go_on.set()
    while passes == 1:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert (passes, most) == (2, 1)


async def test_a_pass_that_fails_is_tried_again_at_the_next_ring(db, running):
    outcomes, well = [ConnectionRefusedError(), RuntimeError(), 0], asyncio.Event()

    async def work(now: datetime) -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        well.set()
        return outcome

    loop = running(work)
    for left in (2, 1, 0):
        loop.ring()
        while len(outcomes) > left:
            await asyncio.sleep(0.01)
    await asyncio.wait_for(well.wait(), PATIENCE_SECONDS)


async def test_now_is_the_clock_of_the_database(db, running):
    seen: list[datetime] = []

    async def work(now: datetime) -> int:
        seen.append(now)
        return 0

    running(work).ring()
    while not seen:
        await asyncio.sleep(0.01)
    assert seen[0].utcoffset() is not None


async def test_much_work_is_done_by_two(db, running):
    at_once, most, left = 0, 0, 8

    async def work(now: datetime) -> int:
        nonlocal at_once, most, left
        if left == 0:
            return 0
        left, at_once = left - 1, at_once + 1
        most = max(most, at_once)
        await asyncio.sleep(0.02)
        at_once -= 1
        return MUCH

    running(work, running(work)).ring()
    while left or at_once:
        await asyncio.sleep(0.01)
    assert most == 2


async def test_little_work_is_left_to_one(db, running):
    found, helped = [MUCH - 1, 1, 0], []

    async def work(now: datetime) -> int:
        return found.pop(0)

    async def help(now: datetime) -> int:
        helped.append(now)
        return 0

    running(work, running(help)).ring()
    while found:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert helped == []
