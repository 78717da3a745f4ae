"""News of changes: each subscriber hears what concerns it, once, however often it happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from kit import db as database
from kit.sql import Sql
from web.live import WAITING_MAX, Hub


async def notify(channel: str, payload: str) -> None:
    await database.execute(Sql("SELECT pg_notify({channel}::text, {payload}::text)", channel=channel, payload=payload))


async def heard(news: AsyncIterator[object], count: int) -> list[object]:
    async with asyncio.timeout(5):
        return [await anext(news) for _ in range(count)]


async def silent(news: AsyncIterator[object]) -> bool:
    """Whether nothing comes for a while."""
    try:
        async with asyncio.timeout(0.1):
            await anext(news)
    except TimeoutError:
        return True
    return False


async def test_runs_are_told_by_run_by_automation_and_by_contact(db: object) -> None:
    hub = Hub()
    async with hub.listening():
        await hub.ready()
        wishes = [{"run_id": 1}, {"automation_id": 5}, {"contact_id": 9}, {"automation_id": 5, "contact_id": 9}, {}]
        waiting = [asyncio.create_task(heard(hub.runs(**wish), 1)) for wish in wishes]
        await asyncio.sleep(0.05)
        await notify("run_changed", "1:5:9")
        assert await asyncio.gather(*waiting) == [[1]] * 5


async def test_what_concerns_others_is_not_heard(db: object) -> None:
    hub = Hub()
    async with hub.listening():
        await hub.ready()
        others = [hub.runs(run_id=2), hub.runs(automation_id=6), hub.contacts(3)]
        waiting = [asyncio.create_task(silent(news)) for news in others]
        await asyncio.sleep(0.02)
        await notify("run_changed", "1:5:9")
        await notify("contact_changed", "33")
        assert await asyncio.gather(*waiting) == [True] * 3


async def test_a_thousand_changes_of_one_contact_are_one_piece_of_news() -> None:
    hub = Hub()
    news = hub.contacts(7)
    first = asyncio.create_task(heard(news, 1))
    await asyncio.sleep(0)
    for _ in range(1000):
        hub._hear_contacts("6,7,8")
    assert await first == [7]
    assert await silent(news)


async def test_too_many_are_one_piece_of_news(db: object) -> None:
    hub = Hub()
    async with hub.listening():
        await hub.ready()
        every, one = hub.runs(automation_id=5), hub.runs(run_id=3)
        waiting = [asyncio.create_task(heard(news, 1)) for news in (every, one)]
        await asyncio.sleep(0.02)
        await notify("run_changed", "*")
        assert await asyncio.gather(*waiting) == [[None], [3]]


async def test_a_slow_reader_does_not_fill_the_memory() -> None:
    hub = Hub()
    news = hub.runs()
    first = asyncio.create_task(anext(news))
    await asyncio.sleep(0)
    for number in range(WAITING_MAX + 1):
        hub._hear_runs(f"{number}:1:1")
    assert await first is None
    assert len(next(iter(hub._runs)).waiting) <= WAITING_MAX
