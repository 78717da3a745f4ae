"""One kind of work in one process: however often the bell rings, one pass follows the other until nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from kit import clock, log

QUIET_SECONDS = 30  # the same failure is not logged more often than this
MUCH = 1_000  # handled in one pass: there is enough for two

Work = Callable[[datetime], Awaitable[int]]

_log = log.get("worker")


class Loop:
    """Calls `work(now)` after each ring, again and again until it handled nothing. `helper` is rung when it is much."""

    def __init__(self, name: str, work: Work, helper: Loop | None = None) -> None:
        self.name = name
        self._work = work
        self._helper = helper
        self._bell = asyncio.Event()
        self._stopping = False
        self._failed: tuple[str, float] | None = None

    def ring(self) -> None:
        """There may be work. A ring during a pass leads to one more pass."""
        self._bell.set()

    def stop(self) -> None:
        """No new pass begins; `run` returns after the present one."""
        self._stopping = True
        self._bell.set()

    async def run(self) -> None:
        """Work until stopped. A pass that fails is logged and tried again at the next ring."""
        while True:
            await self._bell.wait()
            if self._stopping:
                return
            self._bell.clear()
            try:
                while not self._stopping and (handled := await self._work(await clock.now())):
                    if self._helper is not None and handled >= MUCH:
                        self._helper.ring()
                self._well()
            except Exception as error:
                self._unwell(error)

    def _well(self) -> None:
        if self._failed:
            self._failed = None
            _log.info("works again", loop=self.name)

    def _unwell(self, error: Exception) -> None:
        """The first failure is told, and while it stays the same, from time to time."""
        kind, told = self._failed or ("", 0.0)
        if kind != type(error).__name__ or clock.ticks() - told > QUIET_SECONDS:
            self._failed = (type(error).__name__, clock.ticks())
            _log.error("pass failed", loop=self.name, exc_info=error)
