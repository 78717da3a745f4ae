"""Give somebody of the team a task about the contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import Name, Text, UserId
from kit.duration import Duration
from services import tasks
from services.caller import Caller
from services.form_action import FormAction, Sent


@dataclass(frozen=True)
class AddTask(FormAction):
    """Due `dueIn` after the form was sent. If the assignee is gone by then, nobody is assigned."""

    title: Name
    description: Text | None = None
    type: Name | None = None
    due_in: Duration | None = None
    assignee_id: UserId | None = None

    examples: ClassVar = ({"title": "Call back"}, {"title": "Call back", "type": "CALL", "dueIn": {"days": 1}})

    async def apply(self, sent: Sent, *, by: Caller) -> None:
        task = {
            "title": self.title,
            "description": self.description,
            "type": self.type,
            "due_at": None if self.due_in is None else self.due_in.after(by.now),
            "assignee_id": self.assignee_id,
        }
        await tasks.add(sent.contacts, task, by=by)
