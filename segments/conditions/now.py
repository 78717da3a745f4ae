"""A moment that is such, whoever the contact: on a Monday, before 09:30, after a day. For branches and waits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from kit.sql import NOTHING, Sql
from segments import operators, zones
from segments.asking import Asking
from segments.clock import WEEKDAYS, ClockType
from segments.dates import DateType
from segments.names import PLAIN, Names
from segments.operators import Operator
from segments.places import Place
from segments.reading import Reading
from segments.values import OptionType
from segments.zones import Zone


class NowAttribute(Enum):
    """What is asked of the moment, in the account's zone or the contact's."""

    DATE = "DATE"
    TIME = "TIME"
    WEEKDAY = "WEEKDAY"


_SECONDS = re.compile(r"\d:\d\d:\d\d", re.ASCII)
_TYPES = {"DATE": DateType(), "TIME": ClockType(), "WEEKDAY": OptionType(WEEKDAYS)}


@dataclass(frozen=True)
class NowCondition(Asking):
    """An operator that days, times of day or weekdays know. Searches and segments, which last, refuse it."""

    momentary: ClassVar[bool] = True
    examples: ClassVar[list[dict[str, Any]]] = [
        {"field": "WEEKDAY", "op": "IS_ANY_OF", "value": ["SATURDAY", "MONDAY"]},
        {"field": "TIME", "op": "BETWEEN", "value": {"from": "09:00", "to": "17:30"}},
        {"field": "DATE", "op": "AFTER", "value": "2030-12-31"},
        {"field": "DATE", "op": "AFTER", "value": "2031-12-31", "zone": "CONTACT"},
    ]

    field: NowAttribute
    op: Operator
    value: Any = None
    zone: Zone | None = None

    @property
    def place(self) -> Place:
        return Place(_TYPES[self.field.value], NOTHING)

    def _compiled(self, reading: Reading, *, complement: bool) -> Sql:
        return operators.compiled(self._at(reading), self.op, self.value, reading, complement=complement)

    def subject(self, names: Names) -> str:
        return f"the {self.field.value.lower()} of this moment"

    def shown(self, reading: Reading) -> Sql:
        return zones.reckoned(self.zone, reading, lambda by: self._at(by).shown())

    def describe(self, names: Names = PLAIN) -> str:
        return f"at a moment whose {self.field.value.lower()} {self.asked()}"

    @property
    def depends_on_time(self) -> bool:
        return True

    def flips(self, reading: Reading) -> Sql | None:
        """Nothing that lasts asks this: so only that it may be otherwise in the next minute; in the next second, where
        seconds are asked for."""
        unit = "second" if _SECONDS.search(str(self.value)) else "minute"
        return Sql(
            "(date_trunc({unit}::text, {now}::timestamptz) + ('1 ' || {unit}::text)::interval)",
            unit=unit,
            now=reading.now,
        )

    def _at(self, reading: Reading) -> Place:
        moment = reading.now.astimezone(reading.zone)
        expression = {
            "DATE": Sql("{day}::date", day=moment.date()),
            "TIME": Sql("{time}::time", time=moment.time()),
            "WEEKDAY": Sql("{weekday}::text", weekday=WEEKDAYS[moment.weekday()]),
        }[self.field.value]
        return Place(self.place.type, expression, never_null=True)
