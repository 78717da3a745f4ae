"""The tick of a worker: every second it looks for due work in the database, so that no lost hint ever matters.

Every worker process has one; any number of them may tick at the same time, since passes claim what they work on.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from kit import bell, broker, clock, config, db
from kit.sql import Sql
from workers.loop import Loop, Work

TICK_SECONDS = 1.0
WAKE_SECONDS_LEAST = 0.02
WAKE_SECONDS_LATE = 0.005  # behind the instant, so that it is past by every clock
STOP_SECONDS_MAX = 2.0

# name of the hint → where its pass is, and how it is called if not `pass_`
PASSES = {
    "dispatch": "workflows.dispatch",
    "advance": "workflows.engine",
    "deliver": "workflows.deliver",
    "campaigns": "services.campaign_sending",
    "scores": "services.award_upkeep",
    "watch": "services.watching",
    "jobs": "workflows.jobs:here",
    "jobs_elsewhere": "workflows.jobs:elsewhere",
    "webhooks": "services.webhook_facts",
}
# Whoever has work for one kind of pass may have some for another.
ALSO = {"dispatch": ("watch", "webhooks"), "jobs": ("jobs_elsewhere",)}
# How many passes of a kind run beside the first where there is much: one thinks while PostgreSQL works for the others.
HELPERS = {"advance": 2}


@dataclass(frozen=True)
class Job:
    """Something to do from time to time, harmless when several processes do it at once."""

    name: str
    seconds: float
    do: Callable[[datetime], Awaitable[object]]


async def partitions(_now: datetime) -> None:
    """Make room for the history of the weeks to come."""
    await db.execute(Sql("SELECT ensure_partitions()"))


async def statistics(now: datetime) -> None:
    """Add up what was counted since the last time."""
    from workflows import report

    await report.fold(now)


async def complaints(now: datetime) -> None:
    """Warn of automations that are called spam, and stop those that are too often."""
    from workflows import complaints

    await complaints.look(now)


async def alerts(now: datetime) -> None:
    """Remind people of the tasks whose time has come."""
    from services import alerts

    await alerts.send_due(now)


async def letters(now: datetime) -> None:
    """Ask who sent forms to confirm, and tell the team who did."""
    from services import letters

    await letters.send_due(now)


async def levels(now: datetime) -> None:
    """Look again at the engagement of those for whom time alone may have changed it."""
    from services import engagement

    await engagement.sweep(now)


async def visits(now: datetime) -> None:
    """Forget what people nobody knows did long ago."""
    from services import tracking

    await tracking.forget(now)


async def merges(now: datetime) -> None:
    """Forget what merged contacts were, once they cannot come back any more."""
    from services import caller, unmerging

    await unmerging.forget(by=caller.system(now))


async def dates(now: datetime) -> None:
    """Tell of whom a day has come that automations wait for."""
    from workflows import dates

    while await dates.pass_(now):
        pass


async def doctor(now: datetime) -> None:
    """Count what must never be."""
    from workflows import doctor

    await doctor.round_(now)


async def syncs(now: datetime) -> None:
    """Begin to read the databases whose time has come."""
    from services import syncs

    await syncs.run_due(now)


async def reports(now: datetime) -> None:
    """Report the weeks that are over to owners."""
    from services import weekly_reports

    await weekly_reports.make_due(now)


async def notifications(now: datetime) -> None:
    """Write to users who were notified of something."""
    from services import notifications

    await notifications.send_due(now)


async def outlets(now: datetime) -> None:
    """Give up webhooks that nothing arrives at, and forget what others were told long ago."""
    from services import notifications, webhook_calls, webhook_facts

    await webhook_calls.pause_dead(now)
    await webhook_facts.forget(now)
    await notifications.forget(now)


async def files(now: datetime) -> None:
    """Delete files whose time is over, jobs of long ago, and answers that nobody asks for again."""
    from services import idempotency, jobs, stored_files

    await jobs.forget(now)
    await stored_files.delete_expired(now)
    await idempotency.forget(now)


async def history(now: datetime) -> None:
    """Drop what is older than the account keeps, and than anybody asks of deliveries."""
    from services import deliveries
    from workflows import retention

    await deliveries.forget(now)
    await retention.drop_old(now)


JOBS = [
    Job("partitions", 3600, partitions),
    Job("statistics", 5, statistics),
    Job("alerts", 2, alerts),
    Job("complaints", 5, complaints),
    Job("dates", 5, dates),
    Job("doctor", 3600, doctor),
    Job("history", 3600, history),
    Job("letters", 2, letters),
    Job("files", 600, files),
    Job("levels", 1, levels),
    Job("merges", 3600, merges),
    Job("notifications", 20, notifications),
    Job("outlets", 60, outlets),
    Job("reports", 30, reports),
    Job("syncs", 5, syncs),
    Job("visits", 60, visits),
]


class Schedule:
    """The loops and jobs of one worker process."""

    def __init__(self) -> None:
        self._loops: dict[str, Loop] = {}
        self._helpers: list[Loop] = []
        self._jobs: list[tuple[Job, Loop]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._tickers: list[asyncio.Task[None]] = []
        self._doorbell: broker.Doorbell | None = None

    async def start(self) -> None:
        """Open the database for this event loop and begin. It need not be there yet: passes fail until it is."""
        settings = config.settings()
        await db.connect(settings.server(), pool_size=settings.pool_size)
        self._doorbell = broker.Doorbell(broker.build(settings.broker_url()))
        bell.hang(self.ring)
        passes = {name: _pass(module) for name, module in PASSES.items() if _exists(module)}
        self._loops = {name: self._with_helpers(name, work) for name, work in passes.items()}
        self._jobs = [(job, Loop(job.name, _once(job))) for job in JOBS]
        self._tasks = [asyncio.create_task(loop.run()) for loop in self._all()]
        self._tickers = [asyncio.create_task(self._tick()), asyncio.create_task(self._wake())]

    async def stop(self) -> None:
        """Let the passes that run now end; break off what takes longer than two seconds (its transaction with it)."""
        if not self._tickers or self._doorbell is None:
            return
        for ticker in self._tickers:
            ticker.cancel()
        for loop in self._all():
            loop.stop()
        _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS_MAX)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tickers, *self._tasks, return_exceptions=True)
        bell.hang(None)
        await self._doorbell.close()
        await db.disconnect()

    def hear(self, name: str) -> None:
        """A hint came from another process."""
        for each in (name, *ALSO.get(name, ())):
            if loop := self._loops.get(each):
                loop.ring()

    async def ring(self, name: str) -> None:
        """A verb in this process has work for all of us: for our own loop at once, for other processes by a hint."""
        self.hear(name)
        if self._doorbell is not None:
            await self._doorbell.ring(name)

    def _all(self) -> list[Loop]:
        return [*self._loops.values(), *self._helpers, *(loop for _, loop in self._jobs)]

    def _with_helpers(self, name: str, work: Work) -> Loop:
        """The loop of this kind; when it has much to do it rings its helper, and that one its own."""
        loop = Loop(name, work)
        for _ in range(HELPERS.get(name, 0)):
            self._helpers.append(loop)
            loop = Loop(name, work, helper=loop)
        return loop

    async def _tick(self) -> None:
        due = {job.name: 0.0 for job, _ in self._jobs}
        while True:
            for loop in self._loops.values():
                loop.ring()
            for job, loop in self._jobs:
                if clock.ticks() >= due[job.name]:
                    due[job.name] = clock.ticks() + job.seconds
                    loop.ring()
            await asyncio.sleep(TICK_SECONDS)

    async def _wake(self) -> None:
        """Between two ticks: a wait that falls due is looked at then, not at the next tick."""
        from workflows import claim

        after: datetime | None = None
        while True:
            pause = TICK_SECONDS
            try:
                now = await clock.now()
                due = await claim.next_due(max(now, after or now))
                if due is not None:
                    pause = (due - now).total_seconds() + WAKE_SECONDS_LATE
                    after = due
            except Exception:
                due = None  # the database is away: the loops tell
            await asyncio.sleep(max(min(pause, TICK_SECONDS), WAKE_SECONDS_LEAST))
            if due is not None:
                self.hear("advance")


def _exists(place: str) -> bool:
    return importlib.util.find_spec(place.partition(":")[0]) is not None


def _pass(place: str) -> Work:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name or "pass_")


def _once(job: Job) -> Work:
    async def work(now: datetime) -> int:
        await job.do(now)
        return 0

    return work
