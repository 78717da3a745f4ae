"""Lanes: what is claimed for delivery over one channel, taken and performed a few at a time until nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta

from kit import clock, crash, log
from services import attempts, departure, rendering
from services.attempts import LEASE, Claimed, Ended
from services.channels.email import Letter
from services.rendering import Fault, Ready, Text
from workflows.halves import in_halves, is_late, passes

CLAIM_MAX = 200
AHEAD = 100  # so few are left: more is made ready while they are sent
PASS_SECONDS_MAX = 30  # then the next pass begins, with connections of its own
IDLE_SECONDS = 0.2
RENEW_SECONDS = LEASE.total_seconds() / 3
STOP_SECONDS_MAX = 1.5  # for who is told to stop; where one lane failed, the others end what they hand over
SETTLE_PAUSE_SECONDS = 0.5
SETTLE_PAUSE_SECONDS_MAX = 5.0
LAST_WORD_SECONDS = 1.0  # for who must stop, to note what it knows

_log = log.get("deliver")


class Round(ABC):
    """One pass over one channel: lanes that take what is claimed, a few at a time, until nothing is left."""

    channel: str
    lanes: int

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._began = clock.ticks()
        self._pool: deque[tuple[Claimed, Ready]] = deque()
        self._held: dict[int, Claimed] = {}
        self._begun: set[int] = set()  # behind the point of no return, and something of it may have gone
        self._owed: dict[int, Ended] = {}  # what became of these is known, and not noted yet
        self._claiming: asyncio.Task[bool] | None = None
        self._busy = 0
        self._dry_until = 0.0  # nothing was due a moment ago
        self._lane_free = asyncio.Event()
        self._stopping = False
        self.count = 0

    def now(self) -> datetime:
        """The database's instant, as it goes on while the pass takes its time."""
        return self._now + timedelta(seconds=clock.ticks() - self._began)

    def group(self, lane: int) -> int:
        """How many a lane takes at once."""
        return 1

    @abstractmethod
    async def send(self, some: list[tuple[Claimed, Ready]], lane: int) -> None:
        """Perform these and settle each."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of what was opened."""

    async def run(self) -> int:
        if not await self._claim():
            return self.count
        forgiven = True
        renewing = asyncio.create_task(self._renew())
        working = [asyncio.create_task(self._lane(number)) for number in range(self.lanes)]
        try:
            await asyncio.shield(asyncio.gather(*working))
        except BaseException as error:
            told_to = isinstance(error, asyncio.CancelledError)
            forgiven = told_to or passes(error) or is_late(error)
            self._stopping = True  # what is on its way comes to its end, what has not begun is given back
            if self._claiming is not None:
                working.append(self._claiming)  # type: ignore[arg-type]
            _, late = await asyncio.wait(working, timeout=STOP_SECONDS_MAX if told_to else None)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            raise
        finally:
            for each in (renewing, *working):
                each.cancel()
            if self._claiming is not None:  # what it took is given back as well; what failed fails again, and is told
                await asyncio.gather(self._claiming, return_exceptions=True)
            await self._last_word()
            await self._give_back(forgiven)
            await self.close()
        return self.count

    async def _lane(self, number: int) -> None:
        while not self._stopping:
            some = await self._take(number)
            if some:
                self._busy += 1
                try:
                    await self.send(some, number)
                finally:
                    self._busy -= 1
                    self._lane_free.set()
                self.count += len(some)
            elif not self._busy or clock.ticks() - self._began > PASS_SECONDS_MAX:
                return
            else:
                self._lane_free.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._lane_free.wait(), IDLE_SECONDS)

    async def _take(self, lane: int) -> list[tuple[Claimed, Ready]]:
        """The next few. More is made ready before they are all gone, so that lanes need not wait for it."""
        due = self._dry_until < clock.ticks() < self._began + PASS_SECONDS_MAX
        if due and self._claiming is None and len(self._pool) <= AHEAD:
            self._claiming = asyncio.create_task(self._claim())
        if self._claiming is not None and not self._pool:
            await asyncio.wait([self._claiming])
        if self._claiming is not None and self._claiming.done():
            done, self._claiming = self._claiming, None
            done.result()
        return [self._pool.popleft() for _ in range(min(self.group(lane), len(self._pool)))]

    async def _claim(self) -> bool:
        """Take up more and fill it in; whether there was anything."""
        claimed, settled = await attempts.claim([self.channel], self.now(), count_max=CLAIM_MAX)
        self.count += settled
        self._held |= {each.id: each for each in claimed}
        if claimed:
            await crash.point("after_claim")
            ready = await rendering.render(claimed)
            await crash.point("after_render")
            faulty = [
                Ended(each, "FAILED", made.reason) for each in claimed if isinstance(made := ready.get(each.id), Fault)
            ]
            if faulty:
                await self.settle(faulty)
            for each in claimed:
                made = ready.get(each.id)
                if made is not None and not isinstance(made, Fault):
                    self._pool.append((each, made))
        if not (claimed or settled):
            self._dry_until = clock.ticks() + IDLE_SECONDS
        return bool(claimed or settled)

    def begin(self, claimed: Claimed) -> None:
        """From now on something of it may have gone."""
        self._begun.add(claimed.id)

    def let_go(self, claimed: Claimed) -> None:
        """It is not this pass's any more."""
        self._held.pop(claimed.id, None)
        self._begun.discard(claimed.id)

    def know(self, ended: Ended) -> None:
        """This is what became of it. It is noted with the next `settle`, and if all else fails when the pass ends."""
        self._owed[ended.claimed.id] = ended

    async def settle(self, ended: Sequence[Ended]) -> None:
        """Note what became of these; they are held no more. However long the database cannot be asked: what is known
        and not noted would be UNKNOWN. What cannot be noted for a reason of its own keeps no other from it."""
        for each in ended:
            self.know(each)
        pause = SETTLE_PAUSE_SECONDS
        while True:
            try:
                return await self._note(ended)
            except Exception as error:
                _log.warning("not_settled", deliveries=len(ended), exc_info=error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, SETTLE_PAUSE_SECONDS_MAX)

    async def _note(self, ended: Sequence[Ended]) -> None:
        async def fault(one: Ended, error: Exception) -> None:
            if is_late(error):
                raise error
            _log.error("not_settled", delivery=one.claimed.id, exc_info=error)

        try:
            await attempts.settle(ended, self.now())
        except Exception as error:
            if is_late(error) or passes(error):
                raise
            await in_halves(ended, lambda some: attempts.settle(some, self.now()), fault)
        for each in ended:
            self._owed.pop(each.claimed.id, None)
            self.let_go(each.claimed)

    async def _last_word(self) -> None:
        """Who had to stop in the middle still says what it knows."""
        if self._owed:
            try:
                async with asyncio.timeout(LAST_WORD_SECONDS):
                    await self._note(list(self._owed.values()))
            except Exception as error:
                _log.error("not_settled", deliveries=len(self._owed), exc_info=error)

    async def depart(self, some: list[tuple[Claimed, Ready]]) -> list[tuple[Claimed, Ready]]:
        """Those of them that may go now; the others are settled."""
        held = [claimed for claimed, _ in some]
        await crash.point("before_data")
        addresses = [ready.to if isinstance(ready, Letter | Text) else None for _, ready in some]
        gone = await departure.depart(held, addresses, self.now())
        await crash.point("after_data")
        for each in held:
            if gone.get(each.id) not in ("DATA", "SENDING"):
                self._held.pop(each.id, None)
        return [(claimed, ready) for claimed, ready in some if gone.get(claimed.id) in ("DATA", "SENDING")]

    async def _renew(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            pause = RENEW_SECONDS
            while True:
                await asyncio.sleep(pause)
                pause = RENEW_SECONDS
                if self._held:
                    try:
                        await attempts.renew(list(self._held.values()), self.now())
                    except Exception as error:
                        _log.warning("not_renewed", deliveries=len(self._held), exc_info=error)
                        pause = SETTLE_PAUSE_SECONDS

    async def _give_back(self, forgiven: bool) -> None:
        """What was claimed and nothing of which can have gone is for whoever comes next.

        After a fault of our own it counts as a crash: what makes every pass fail is given up after three.
        """
        self._pool.clear()
        here = [each for each in self._held.values() if each.id not in self._begun]
        if here:
            await attempts.give_back(here, self.now(), forgiven=forgiven)
