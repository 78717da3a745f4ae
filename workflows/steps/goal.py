"""A goal: as soon as a rule holds for the contact they come here, from wherever they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from kit.card import Name
from kit.errors import Problem
from segments.reading import Reading
from segments.rule import Rule
from workflows.batch import Batch
from workflows.step import Step

NOT_MET = "GOAL_NOT_MET"
PASSED = "GOAL_PASSED"


class GoalPosition(Enum):
    """From where contacts jump to a goal: from steps above it alone, or from anywhere in the automation."""

    BELOW = "BELOW"
    ANYWHERE = "ANYWHERE"


class GoalOtherwise(Enum):
    """What becomes of who comes to a goal without having met it."""

    WAIT = "WAIT"
    CONTINUE = "CONTINUE"
    END = "END"


@dataclass(frozen=True)
class Goal(Step):
    """Met once in a run: who comes by again passes. Looked at on entry, at every fact about the contact, when time may
    make it true, and on arrival."""

    name: Name
    where: Rule
    position: GoalPosition = GoalPosition.BELOW
    otherwise: GoalOtherwise = GoalOtherwise.CONTINUE

    examples: ClassVar = (
        {"name": "Bought", "where": {"tag": {"hasAny": ["buyer"]}}},
        {"name": "Bought", "where": {"tag": {"hasAny": ["buyer"]}}, "position": "ANYWHERE", "otherwise": "WAIT"},
        {"name": "Bought", "where": {"tag": {"hasAny": ["buyer"]}}, "otherwise": "END"},
    )

    async def apply(self, batch: Batch) -> None:
        batch.skip([run for run in batch.runs if batch.place.key in run.passed], PASSED)
        here = [run for run in batch.runs if run not in batch.verdicts]
        if not here:
            return
        holds = await batch.matching(self.where, here)
        batch.complete([run for run in here if run.contact_id in holds])
        others = [run for run in here if run.contact_id not in holds]
        match self.otherwise:
            case GoalOtherwise.CONTINUE:
                batch.skip(others, NOT_MET)
            case GoalOtherwise.END:
                batch.end(NOT_MET, others, skipped=NOT_MET)
            case GoalOtherwise.WAIT:
                await batch.watch(self.where, dict.fromkeys(others))

    def remembers(self) -> bool:
        return True

    def problems(self, reading: Reading) -> Iterable[Problem]:
        return self.where.problems(reading, ("where",))

    def describe(self) -> str:
        return f"Goal: {self.name}"
