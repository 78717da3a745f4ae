"""Somebody is to do something about the contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import Name
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class TaskCreated(Trigger):
    """A task about the contact was made; with `type`, only one of this type. Types are compared without case."""

    type: Name | None = None

    examples: ClassVar = ({"type": "CALL"}, {})
    fact: ClassVar[str] = "TASK_CREATED"
    label: ClassVar[Sql] = Sql("'Task created: ' || (e.data ->> 'title')")
    match: ClassVar[Sql] = Sql(
        """
        (
            g.parameters -> 'taskCreated' ->> 'type' IS NULL
            OR lower(e.data ->> 'type') = lower(g.parameters -> 'taskCreated' ->> 'type')
        )
        """
    )
