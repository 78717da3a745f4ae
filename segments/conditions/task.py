"""A contact about whom somebody has something to do, or had: of this type, overdue, for this user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from kit.card import Name, UserId
from kit.sql import TRUE, Sql, negation
from segments.having import Having
from segments.names import PLAIN, Names
from segments.reading import Reading


@dataclass(frozen=True)
class TaskCondition(Having):
    """All parameters are about the same task; overdue is an open one, due before now. `is: false`: no such one."""

    examples: ClassVar[list[dict[str, Any]]] = [
        {"open": True},
        {"open": False, "type": "call"},
        {"overdue": True, "assigneeId": "user_1"},
        {"overdue": False, "is": False},
    ]

    open: bool = True
    type: Name | None = None
    overdue: bool | None = None
    assignee_id: UserId | None = None
    is_: bool = True

    def rows(self, reading: Reading) -> Sql:
        overdue = Sql("(k.status = 'INCOMPLETE' AND k.due_at < {now}::timestamptz)", now=reading.now)
        return Sql(
            """FROM task k
            WHERE k.contact_id = c.id AND k.status = {status}::text AND {of_type} AND {late} AND {assigned}""",
            status="INCOMPLETE" if self.open else "COMPLETE",
            of_type=TRUE if self.type is None else Sql("lower(k.type) = lower({type}::text)", type=self.type),
            late=TRUE if self.overdue is None else overdue if self.overdue else negation(overdue),
            assigned=Sql("k.assignee_id = {id}::bigint", id=self.assignee_id) if self.assignee_id else TRUE,
        )

    def describe(self, names: Names = PLAIN) -> str:
        return self.told(
            "with a task that is",
            "open" if self.open else "done",
            {None: "", True: "and overdue", False: "and not overdue"}[self.overdue],
            f"of type {self.type}" if self.type else "",
            f"for {names.of('user', self.assignee_id)}" if self.assignee_id else "",
        )

    @property
    def depends_on_time(self) -> bool:
        return self.overdue is not None

    def flips(self, reading: Reading) -> Sql | None:
        if self.overdue is None:
            return None
        return Sql(
            """(SELECT min(k.due_at) + interval '1 microsecond' FROM task k
            WHERE k.contact_id = c.id AND k.status = 'INCOMPLETE' AND k.due_at >= {now}::timestamptz)""",
            now=reading.now,
        )
