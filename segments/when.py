"""When something happened: what a condition asks of the instant in one of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from kit.errors import Problem
from kit.sql import TRUE, Sql
from segments import operators
from segments.dates import InstantType
from segments.operators import Operator
from segments.places import Place
from segments.reading import Reading

_INSTANT = InstantType()


@dataclass(frozen=True)
class When:
    """An operator that is asked of days and times, and what the instant is compared with."""

    null_says_nothing: ClassVar[bool] = False

    op: Operator
    value: Any = None

    def faults(self) -> Iterator[Problem]:
        yield from operators.faults(_INSTANT, self.op, self.value)

    def test(self, expression: Sql, reading: Reading) -> Sql:
        """True or false of an instant, also where it is NULL.

        Where `reading.turns` collects when that may change it says nothing of now: TRUE.
        """
        if reading.turns is not None:
            reading.turns.extend(operators.turns(_INSTANT, expression, self.op, self.value, reading))
            return TRUE
        return operators.compiled(Place(_INSTANT, expression), self.op, self.value, reading)

    def describe(self, what: str) -> str:
        return f"{what} {operators.described(_INSTANT, self.op, self.value)}"

    @property
    def depends_on_time(self) -> bool:
        return operators.moves(_INSTANT, self.op, self.value)
