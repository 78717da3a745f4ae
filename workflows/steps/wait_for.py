"""Let the contact rest for a while."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from kit.duration import Duration
from workflows.batch import Batch, Run
from workflows.step import Step


@dataclass(frozen=True)
class WaitFor(Step):
    """Weeks to seconds are fixed lengths, months and years go by the calendar. Nothing at all passes at once."""

    duration: Duration

    examples: ClassVar = ({"duration": {"days": 1, "hours": 2}},)

    async def apply(self, batch: Batch) -> None:
        # Counted from the arrival, so that a duration that was changed meanwhile counts the time already spent.
        resting: dict[datetime, list[Run]] = defaultdict(list)
        for run in batch.runs:
            resting[run.entered_at].append(run)
        for entered_at, runs in resting.items():
            until = self.duration.after(entered_at)
            if until <= batch.now:
                batch.complete(runs)
            else:
                batch.wait(runs, until=until)

    def rests(self) -> bool:
        return self.duration != Duration()

    def describe(self) -> str:
        return f"Wait {self.duration.describe()}"
