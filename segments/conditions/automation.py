"""A contact that is in an automation, was there, never was, came to its end, or achieved its goal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from kit.card import AutomationId, Name
from kit.errors import Problem
from kit.sql import TRUE, Sql
from segments.condition import Condition
from segments.names import PLAIN, Names
from segments.places import exists, exists_not
from segments.reading import Reading


class AutomationState(Enum):
    """How a contact stands to an automation, over all its entries. WAS_IN: ever, and perhaps still. ACHIEVED_GOAL: came
    to a goal of it and met it, as far back as history is kept; NOT_ACHIEVED_GOAL is everybody else."""

    IS_IN = "IS_IN"
    WAS_IN = "WAS_IN"
    NEVER_IN = "NEVER_IN"
    COMPLETED = "COMPLETED"
    ENDED_MANUALLY = "ENDED_MANUALLY"
    ACHIEVED_GOAL = "ACHIEVED_GOAL"
    NOT_ACHIEVED_GOAL = "NOT_ACHIEVED_GOAL"


_DENYING = (AutomationState.NEVER_IN, AutomationState.NOT_ACHIEVED_GOAL)
_ABOUT_GOALS = (AutomationState.ACHIEVED_GOAL, AutomationState.NOT_ACHIEVED_GOAL)


@dataclass(frozen=True)
class AutomationCondition(Condition):
    """One way of standing to one automation. `goal`: only the goal of this name, in any case."""

    examples: ClassVar[list[dict[str, Any]]] = [
        *({"id": "automation_1", "state": state.name} for state in AutomationState),
        {"id": "automation_1", "state": "ACHIEVED_GOAL", "goal": "Bought"},
    ]

    id: AutomationId
    state: AutomationState
    goal: Name | None = None

    def faults(self) -> Iterator[Problem]:
        if self.goal is not None and self.state not in _ABOUT_GOALS:
            yield Problem("INVALID_VALUE", "Only ACHIEVED_GOAL and NOT_ACHIEVED_GOAL are about a goal.", ("goal",))

    def compile(self, reading: Reading) -> Sql:
        return self._compiled(reading, self.state not in _DENYING)

    def complement(self, reading: Reading) -> Sql:
        return self._compiled(reading, self.state in _DENYING)

    def finds(self, *, complement: bool = False) -> bool:
        return (self.state in _DENYING) == complement

    def _compiled(self, reading: Reading, there_is: bool) -> Sql:
        rows = self._goals() if self.state in _ABOUT_GOALS else self._runs()
        return exists(rows, reading) if there_is else exists_not(rows, reading)

    @property
    def own(self) -> str:  # type: ignore[override]
        """Before what is `shown`."""
        return "the goals that it achieved are" if self.state in _ABOUT_GOALS else "its ways through it ended by"

    def shown(self, reading: Reading) -> Sql:
        if self.state in _ABOUT_GOALS:
            return Sql(
                "(SELECT coalesce(jsonb_agg(e.data -> 'goal' ORDER BY e.id), '[]'::jsonb) {rows})", rows=self._goals()
            )
        return Sql(
            """(SELECT coalesce(jsonb_agg(coalesce(r.end_reason, 'IS_IN') ORDER BY r.id), '[]'::jsonb)
            FROM run r WHERE r.contact_id = c.id AND r.automation_id = {id}::bigint)""",
            id=self.id,
        )

    def describe(self, names: Names = PLAIN) -> str:
        if self.state in _ABOUT_GOALS:
            which = "a goal" if self.goal is None else f"the goal “{self.goal}”"
            return f"{_WORDS[self.state]} {which} of {names.of('automation', self.id)}"
        return f"{_WORDS[self.state]} {names.of('automation', self.id)}"

    def _runs(self) -> Sql:
        return Sql(
            "FROM run r WHERE r.contact_id = c.id AND r.automation_id = {id}::bigint AND {such}",
            id=self.id,
            such=_SUCH[self.state],
        )

    def _goals(self) -> Sql:
        """The facts of goals that were met: there is an index of these alone."""
        return Sql(
            """FROM event e
            WHERE e.contact_id = c.id
              AND e.kind = 'GOAL_REACHED'
              AND e.subject = {id}::bigint
              AND coalesce(e.data ->> 'result' = 'ACHIEVED', FALSE)
              AND {named}""",
            id=self.id,
            named=TRUE
            if self.goal is None
            else Sql("coalesce(lower(e.data ->> 'goal') = lower({goal}::text), FALSE)", goal=self.goal),
        )


_EVER = Sql("TRUE")
_SUCH = {
    AutomationState.IS_IN: Sql("r.ended_at IS NULL"),
    AutomationState.WAS_IN: _EVER,
    AutomationState.NEVER_IN: _EVER,
    # A step `end` is an end that its designer wanted, too.
    AutomationState.COMPLETED: Sql("coalesce(r.end_reason IN ('COMPLETED', 'END_ACTION'), FALSE)"),
    AutomationState.ENDED_MANUALLY: Sql("coalesce(r.end_reason = 'MANUAL', FALSE)"),
}
_WORDS = {
    AutomationState.IS_IN: "in",
    AutomationState.WAS_IN: "who was ever in",
    AutomationState.NEVER_IN: "who was never in",
    AutomationState.COMPLETED: "who completed",
    AutomationState.ENDED_MANUALLY: "who was taken by hand out of",
    AutomationState.ACHIEVED_GOAL: "who achieved",
    AutomationState.NOT_ACHIEVED_GOAL: "who did not achieve",
}
