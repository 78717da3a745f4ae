"""Something that was to be done about the contact is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import Name
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class TaskCompleted(Trigger):
    """A task about the contact was completed; with `type`, only one of this type. Types are compared without case."""

    type: Name | None = None

    examples: ClassVar = ({"type": "CALL"}, {})
    fact: ClassVar[str] = "TASK_COMPLETED"
    label: ClassVar[Sql] = Sql("'Task completed: ' || (e.data ->> 'title')")
    match: ClassVar[Sql] = Sql(
        """
        (
            g.parameters -> 'taskCompleted' ->> 'type' IS NULL
            OR lower(e.data ->> 'type') = lower(g.parameters -> 'taskCompleted' ->> 'type')
        )
        """
    )
