"""When something happened: what a condition asks of the instant in one of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from kit.errors import Problem
from kit.sql import TRUE, Sql
from segments import operators, zones
from segments.dates import InstantType
from segments.operators import Operator
from segments.places import Place
from segments.reading import Reading
from segments.zones import Zone

_INSTANT = InstantType()


@dataclass(frozen=True)
class When:
    """An operator that is asked of days and times, and what the instant is compared with."""

    null_says_nothing: ClassVar[bool] = False

    op: Operator
    value: Any = None
    zone: Zone | None = None

    def faults(self) -> Iterator[Problem]:
        yield from operators.faults(_INSTANT, self.op, self.value)

    def test(self, expression: Sql, reading: Reading) -> Sql:
        """True or false of an instant, also where it is NULL.

        Where `reading.turns` collects when that may change it says nothing of now: TRUE.
        """
        if reading.turns is not None:
            for place in range(len(self._turns(expression, reading))):
                turn = partial(self._turn, expression, place)
                reading.turns.append(zones.reckoned(self.zone, reading, turn))
            return TRUE
        return zones.reckoned(
            self.zone, reading, lambda by: operators.compiled(Place(_INSTANT, expression), self.op, self.value, by)
        )

    def _turn(self, expression: Sql, place: int, reading: Reading) -> Sql:
        return self._turns(expression, reading)[place]

    def _turns(self, expression: Sql, reading: Reading) -> list[Sql]:
        return operators.turns(_INSTANT, expression, self.op, self.value, reading)

    def describe(self, what: str) -> str:
        return f"{what} {operators.described(_INSTANT, self.op, self.value)}{zones.told(self.zone)}"

    @property
    def depends_on_time(self) -> bool:
        return operators.moves(_INSTANT, self.op, self.value)
