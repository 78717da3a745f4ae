"""A contact who reads what it is sent, or does not: whose level of engagement is, or was before, such."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from kit.errors import Problem
from kit.sql import Sql, negation
from segments.condition import Condition
from segments.names import PLAIN, Names
from segments.reading import Reading


class EngagementTime(Enum):
    """The level a contact has, or the one it had before that."""

    CURRENT = "CURRENT"
    PREVIOUS = "PREVIOUS"


class EngagementLevel(Enum):
    """How often a contact opens and clicks."""

    MOST = "MOST"
    SOMEWHAT = "SOMEWHAT"
    LEAST = "LEAST"
    EVERYONE_ELSE = "EVERYONE_ELSE"


@dataclass(frozen=True)
class EngagementCondition(Condition):
    """Exactly one of `is` and `isNot`."""

    own: ClassVar[str] = "its level is"
    examples: ClassVar[list[dict[str, Any]]] = [
        {"is": "MOST"},
        {"level": "PREVIOUS", "isNot": "EVERYONE_ELSE"},
    ]

    level: EngagementTime = EngagementTime.CURRENT
    is_: EngagementLevel | None = None
    is_not: EngagementLevel | None = None

    def faults(self) -> Iterator[Problem]:
        if (self.is_ is None) == (self.is_not is None):
            yield Problem("REQUIRED", "Give exactly one of is, isNot.")

    def compile(self, reading: Reading) -> Sql:
        return negation(self._is()) if self.is_ is None else self._is()

    def complement(self, reading: Reading) -> Sql:
        return self._is() if self.is_ is None else negation(self._is())

    def shown(self, reading: Reading) -> Sql:
        return Sql("to_jsonb({level})", level=self._column())

    def describe(self, names: Names = PLAIN) -> str:
        whose = "whose engagement" if self.level is EngagementTime.CURRENT else "whose previous engagement"
        found = self.is_ or self.is_not
        assert found is not None, "see faults"
        level = found.value.lower().replace("_", " ")
        return f"{whose} {'is not' if self.is_ is None else 'is'} {level}"

    def _is(self) -> Sql:
        found = self.is_ or self.is_not
        assert found is not None, "see faults"
        return Sql("{column} = {level}::text", column=self._column(), level=found.value)

    def _column(self) -> Sql:
        current = self.level is EngagementTime.CURRENT
        return Sql("c.engagement_level") if current else Sql("c.previous_engagement_level")
