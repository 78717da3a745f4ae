"""A day that is written in a field of the contact has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from kit.card import FieldName, Name, Path, Range
from kit.errors import Problem
from kit.sql import Sql
from segments.reading import Reading
from workflows.trigger import Trigger

DAYS_MAX = 3_660


class DaySide(Enum):
    """On the day itself, or so many days before or after it."""

    ON = "ON"
    BEFORE = "BEFORE"
    AFTER = "AFTER"


@dataclass(frozen=True)
class DateReached(Trigger):
    """Once for every contact and day, at `hour` in `timezone` (else the automation's, else the account's).

    `name` is a field of type DATE or DATETIME. With `ignoreYear` the day returns every year; the 29th of February does
    so on the 28th in common years. Days that were written down before the automation was activated count, too.
    """

    name: FieldName
    when: DaySide = DaySide.ON
    days: Annotated[int, Range(least=0, most=DAYS_MAX)] = 0
    hour: Annotated[int, Range(least=0, most=23)] = 0
    timezone: Name | None = None
    ignore_year: bool = False

    examples: ClassVar = (
        {"name": "birthday", "hour": 9, "ignoreYear": True},
        {"name": "contract_end", "when": "BEFORE", "days": 30, "timezone": "Europe/Berlin"},
    )
    fact: ClassVar[str] = "DATE_REACHED"
    label: ClassVar[Sql] = Sql("concat_ws(' ', e.data ->> 'when', e.data ->> 'field', e.data ->> 'date')")
    match: ClassVar[Sql] = Sql("e.subject = g.id")

    def faults(self) -> Iterable[Problem]:
        if self.when is DaySide.ON and self.days:
            yield Problem("INVALID_VALUE", "Say whether BEFORE or AFTER the day.", ("when",))
        if self.when is not DaySide.ON and not self.days:
            yield Problem("REQUIRED", "Say how many days.", ("days",))
        if self.timezone is not None and self.timezone not in available_timezones():
            yield Problem("INVALID_VALUE", "This time zone does not exist; name one like Europe/Berlin.", ("timezone",))

    def problems(self, reading: Reading, path: Path) -> Iterable[Problem]:
        field = reading.field(self.name)
        if field is not None and field.type not in ("DATE", "DATETIME"):
            yield Problem("WRONG_TYPE", f"{self.name} is no field with a date.", (*path, "name"))

    def instant(self, day: date, zone: ZoneInfo) -> datetime:
        """When a day counts as come. An hour that the clocks leave out is taken an hour later."""
        return datetime(day.year, day.month, day.day, self.hour, tzinfo=zone)

    def written(self, day: date) -> date:
        """The day that is in the field of whom this day lets in."""
        return day + timedelta(days=self.days if self.when is DaySide.BEFORE else -self.days)

    def words(self) -> str:
        """How the entry by it is called, before the name of the field."""
        if self.when is DaySide.ON:
            return "On"
        return f"{self.days} {'day' if self.days == 1 else 'days'} {self.when.value.lower()}"
