"""Add points to a score of the contact, or take some away."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, ClassVar

from kit.card import Range, ScoreId
from kit.duration import Duration
from services import scores
from services.score_rules import POINTS_MAX
from workflows.batch import Batch
from workflows.step import Step


class ScoreOperation(Enum):
    """What is done to a score."""

    ADD = "ADD"
    SUBTRACT = "SUBTRACT"
    SET = "SET"


@dataclass(frozen=True)
class AdjustScore(Step):
    """With `expiresAfter`, what it changed is undone that long afterwards. Who stands at so many already passes as
    `noop`."""

    score_id: ScoreId
    points: Annotated[int, Range(-POINTS_MAX, POINTS_MAX)]
    op: ScoreOperation = ScoreOperation.ADD
    expires_after: Duration | None = None

    examples: ClassVar = (
        {"scoreId": "score_1", "points": 5, "expiresAfter": {"days": 30}},
        {"scoreId": "score_1", "points": 0, "op": "SET"},
    )

    async def apply(self, batch: Batch) -> None:
        outcome = await scores.adjust(
            batch.contacts, self.score_id, self.op.value, self.points, self.expires_after, by=batch.caller
        )
        batch.settle(outcome)

    def describe(self) -> str:
        match self.op:
            case ScoreOperation.ADD:
                return f"Add {self.points:,} to a score"
            case ScoreOperation.SUBTRACT:
                return f"Subtract {self.points:,} from a score"
            case _:
                return f"Set a score to {self.points:,}"
