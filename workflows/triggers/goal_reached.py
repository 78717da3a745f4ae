"""The contact came to a goal of an automation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from kit.card import AutomationId, Name
from kit.sql import Sql
from workflows.trigger import Trigger


class GoalResult(Enum):
    """ACHIEVED: jumped there, or came there and met its rule, at once or after waiting. SKIPPED: passed without."""

    ACHIEVED = "ACHIEVED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True)
class GoalReached(Trigger):
    """A goal of this automation; with `goal`, only the one of this name. Names are compared without case."""

    automation_id: AutomationId
    goal: Name | None = None
    result: GoalResult = GoalResult.ACHIEVED

    examples: ClassVar = (
        {"automationId": "automation_1", "goal": "Bought again"},
        {"automationId": "automation_1", "result": "SKIPPED"},
    )
    fact: ClassVar[str] = "GOAL_REACHED"
    label: ClassVar[Sql] = Sql(
        """
        CASE e.data ->> 'result' WHEN 'SKIPPED' THEN 'Passed the goal ' ELSE 'Reached the goal ' END
        || (e.data ->> 'goal')
        """
    )
    match: ClassVar[Sql] = Sql(
        """
        e.data ->> 'result' = coalesce(g.parameters -> 'goalReached' ->> 'result', 'ACHIEVED')
        AND (
            g.parameters -> 'goalReached' ->> 'goal' IS NULL
            OR lower(e.data ->> 'goal') = lower(g.parameters -> 'goalReached' ->> 'goal')
        )
        """
    )

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        return self.automation_id
