"""Give somebody of the team a task about the contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import Name, Text, UserId
from kit.duration import Duration
from services import tasks
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class AddTask(Step):
    """Due `dueIn` after the contact came to this step. If the assignee is gone by then, nobody is assigned."""

    title: Name
    description: Text | None = None
    type: Name | None = None
    due_in: Duration | None = None
    assignee_id: UserId | None = None

    examples: ClassVar = ({"title": "Call"}, {"title": "Call", "type": "CALL", "dueIn": {"days": 2}})

    async def apply(self, batch: Batch) -> None:
        task = {
            "title": self.title,
            "description": self.description,
            "type": self.type,
            "due_at": None if self.due_in is None else self.due_in.after(batch.now),
            "assignee_id": self.assignee_id,
        }
        run_ids = [run.id for run in batch.runs]
        batch.settle(await tasks.add(batch.contacts, task, by=batch.caller, run_ids=run_ids))

    def describe(self) -> str:
        return f"Add task {self.title}"
