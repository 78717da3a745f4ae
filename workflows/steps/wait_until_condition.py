"""Let the contact rest until a rule holds for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from kit.duration import Duration
from kit.errors import Problem
from segments.reading import Reading
from segments.rule import Rule
from workflows.batch import Batch, Run
from workflows.step import Step

LOOK_EVERY = timedelta(seconds=60)  # at rules that come true by the mere passing of time


@dataclass(frozen=True)
class WaitUntilCondition(Step):
    """Looked at on arrival and at every fact about the contact; with `timeout`, they go on then whatever holds."""

    where: Rule
    timeout: Duration | None = None

    examples: ClassVar = (
        {"where": {"tag": {"hasAny": ["vip"]}}},
        {"where": {"tag": {"hasAny": ["vip"]}}, "timeout": {"days": 1}},
    )

    async def apply(self, batch: Batch) -> None:
        holds = await batch.matching(self.where)
        for run in batch.runs:
            deadline = None if self.timeout is None else self.timeout.after(run.entered_at)
            if run.contact_id in holds:
                batch.complete([run])
            elif deadline is not None and deadline <= batch.now:
                batch.complete([run], detail={"timedOut": True})
            else:
                batch.wait([run], until=self._next_look(run, deadline, batch.now), deadline=deadline, watching=True)

    def _next_look(self, run: Run, deadline: datetime | None, now: datetime) -> datetime | None:
        if not run.watching:
            # A fact that was committed between our look and our commit found nobody watching: look once more.
            return now
        if not self.where.depends_on_time:
            return deadline
        soon = now + LOOK_EVERY
        return soon if deadline is None else min(soon, deadline)

    def rests(self) -> bool:
        return True

    def problems(self, reading: Reading) -> Iterable[Problem]:
        return self.where.problems(reading, ("where",))

    def describe(self) -> str:
        return "Wait until the contact is one " + self.where.describe()
