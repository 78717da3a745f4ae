"""A contact that is in an automation, was there, never was, or came to its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from kit.card import AutomationId
from kit.sql import Sql
from segments.condition import Condition
from segments.names import PLAIN, Names
from segments.places import exists, exists_not
from segments.reading import Reading


class AutomationState(Enum):
    """How a contact stands to an automation, over all its entries. WAS_IN: ever, and perhaps still."""

    IS_IN = "IS_IN"
    WAS_IN = "WAS_IN"
    NEVER_IN = "NEVER_IN"
    COMPLETED = "COMPLETED"
    ENDED_MANUALLY = "ENDED_MANUALLY"


@dataclass(frozen=True)
class AutomationCondition(Condition):
    """One way of standing to one automation."""

    own: ClassVar[str] = "its ways through it ended by"
    examples: ClassVar[list[dict[str, Any]]] = [
        {"id": "automation_1", "state": state.name} for state in AutomationState
    ]

    id: AutomationId
    state: AutomationState

    def compile(self, reading: Reading) -> Sql:
        never = self.state is AutomationState.NEVER_IN
        return exists_not(self._runs(), reading) if never else exists(self._runs(), reading)

    def complement(self, reading: Reading) -> Sql:
        never = self.state is AutomationState.NEVER_IN
        return exists(self._runs(), reading) if never else exists_not(self._runs(), reading)

    def shown(self, reading: Reading) -> Sql:
        return Sql(
            """(SELECT coalesce(jsonb_agg(coalesce(r.end_reason, 'IS_IN') ORDER BY r.id), '[]'::jsonb)
            FROM run r WHERE r.contact_id = c.id AND r.automation_id = {id}::bigint)""",
            id=self.id,
        )

    def describe(self, names: Names = PLAIN) -> str:
        return f"{_WORDS[self.state]} {names.of('automation', self.id)}"

    def _runs(self) -> Sql:
        return Sql(
            "FROM run r WHERE r.contact_id = c.id AND r.automation_id = {id}::bigint AND {such}",
            id=self.id,
            such=_SUCH[self.state],
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
}
