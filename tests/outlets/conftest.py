"""Workers that tell others what happened, and another system that hears it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from kit import clock, config
from kit.db import Server
from services import notifications, webhook_calls, webhook_facts
from tests.receiver import Receiver
from tests.stories.conftest import team, time
from workflows import deliver, jobs

__all__ = ["receiver", "team", "time", "work"]


@pytest.fixture
async def receiver(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    """Another system on this machine, to which webhooks may go; its address is in RECEIVER."""
    running = Receiver()
    monkeypatch.setenv("RECEIVER", await running.start())
    monkeypatch.setenv("PARCOURS_WEBHOOK_PRIVATE", "true")
    config.settings.cache_clear()
    yield running
    await running.stop()
    monkeypatch.undo()
    config.settings.cache_clear()


@pytest.fixture
def address(receiver: Receiver) -> str:
    return os.environ["RECEIVER"]


@pytest.fixture
def work(db: Server) -> Callable[[], Awaitable[None]]:
    """`await work()`: the workers come by, until nothing is left to do at this moment."""

    async def until_dry() -> None:
        await webhook_calls.pause_dead(await clock.now())
        for _ in range(50):
            passes = (jobs.pass_, webhook_facts.pass_, notifications.send_due, deliver.pass_)
            if not sum([await pass_(await clock.now()) for pass_ in passes]):
                return
        raise AssertionError("The workers do not come to rest.")

    return until_dry
