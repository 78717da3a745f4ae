"""Let the contact rest until a rule holds for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from kit.duration import Duration
from kit.errors import Problem
from segments.reading import Reading
from segments.rule import Rule
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class WaitUntilCondition(Step):
    """Looked at on arrival, at every fact about the contact and when time may make it true; with `timeout`, they go on
    then whatever holds."""

    where: Rule
    timeout: Duration | None = None

    examples: ClassVar = (
        {"where": {"tag": {"hasAny": ["vip"]}}},
        {"where": {"tag": {"hasAny": ["vip"]}}, "timeout": {"days": 1}},
    )

    async def apply(self, batch: Batch) -> None:
        holds = await batch.matching(self.where)
        deadlines = {
            run: None if self.timeout is None else self.timeout.after(run.entered_at)
            for run in batch.runs
            if run.contact_id not in holds
        }
        batch.complete(batch.of(holds))
        late = [run for run, deadline in deadlines.items() if deadline is not None and deadline <= batch.now]
        batch.complete(late, detail={"timedOut": True})
        await batch.watch(self.where, {run: at for run, at in deadlines.items() if run not in batch.verdicts})

    def rests(self) -> bool:
        return True

    def problems(self, reading: Reading) -> Iterable[Problem]:
        return self.where.problems(reading, ("where",))

    def describe(self) -> str:
        return "Wait until the contact is one " + self.where.describe()
