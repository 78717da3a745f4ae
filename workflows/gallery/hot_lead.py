"""Give contacts whose score is high enough to somebody who calls them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from kit import ids
from kit.card import Name, Range, ScoreId, UserId
from workflows.template import Template, step

DAYS_MAX = 365


@dataclass(frozen=True)
class HotLead(Template):
    """As the score comes above `above`, the contact is a qualified lead, and a task is made. Once for every contact."""

    title: ClassVar[str] = "Call hot leads"
    examples: ClassVar = (
        {"scoreId": "score_1", "above": 50},
        {"scoreId": "score_1", "above": 5, "assigneeId": "user_1"},
    )

    score_id: ScoreId
    above: int
    assignee_id: UserId | None = None
    task: Name = "Call this lead"
    days: Annotated[int, Range(least=0, most=DAYS_MAX)] = 1

    def drawn(self) -> dict[str, Any]:
        assignee = {} if self.assignee_id is None else {"assigneeId": ids.give("user", self.assignee_id)}
        task = {"title": self.task, "type": "CALL", "dueIn": {"days": self.days}, **assignee}
        return {
            "entry_policy": "ONCE",
            "triggers": [{"on": {"scoreChanged": {"scoreId": ids.give("score", self.score_id), "above": self.above}}}],
            "steps": [
                step("qualify", {"setLifecycle": {"stage": "MQL"}}, "call"),
                step("call", {"addTask": task}),
            ],
        }
