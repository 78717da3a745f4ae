"""Send the contact along YES or NO, by a rule that is looked at on arrival."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from kit.errors import Problem
from segments.reading import Reading
from segments.rule import Rule
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class IfElse(Step):
    """The rule is read on what is stored at that instant; the visit records the branch taken."""

    where: Rule

    branches: ClassVar[tuple[str, ...]] = ("YES", "NO")
    examples: ClassVar = ({"where": {"tag": {"hasAny": ["vip"]}}},)

    async def apply(self, batch: Batch) -> None:
        holds = await batch.matching(self.where)
        batch.complete((run for run in batch.runs if run.contact_id in holds), branch="YES")
        batch.complete((run for run in batch.runs if run.contact_id not in holds), branch="NO")

    def problems(self, reading: Reading) -> Iterable[Problem]:
        return self.where.problems(reading, ("where",))

    def describe(self) -> str:
        return "If the contact is one " + self.where.describe()
