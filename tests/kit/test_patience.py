"""Waiting only so long: what answers in time is passed on, what does not is given up at once."""

from __future__ import annotations

import asyncio

import pytest

from kit.patience import within


async def answer() -> int:
    return 7


async def fail() -> int:
    raise KeyError("no")


async def test_what_is_in_time_is_passed_on() -> None:
    assert await within(1, answer()) == 7
    with pytest.raises(KeyError):
        await within(1, fail())


async def test_what_resists_being_cancelled_is_not_waited_for() -> None:
    ended = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(1)
            ended.set()

    began = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        await within(0.02, stubborn())
    assert asyncio.get_running_loop().time() - began < 0.9
    await ended.wait()


async def test_who_stops_waiting_stops_the_work() -> None:
    stopped = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    waiting = asyncio.create_task(within(60, work()))
    await asyncio.sleep(0.01)
    waiting.cancel()
    async with asyncio.timeout(1):
        await stopped.wait()
