"""Let the contact rest until a certain day, weekday or time of day comes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

from kit.card import Name, Range
from kit.errors import Problem
from workflows import civil
from workflows.batch import Batch, Run
from workflows.step import Step

YEARS_AHEAD = 41  # by then every weekday has come on every day, also on a 29 February

_DAYS_OF = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Weekday(Enum):
    """A day of the week."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


_WEEKDAYS = list(Weekday)


@dataclass(frozen=True)
class WaitUntil(Step):
    """What is not given may be any. With `time` ("09:30") alone, who comes within the hour from then on passes at once;
    what is past for good passes, too. Who comes by again waits for the next time. `zone` is CONTACT, ACCOUNT or a name;
    else the automation's."""

    year: Annotated[int, Range(1970, 9000)] | None = None
    month: Annotated[int, Range(1, 12)] | None = None
    day: Annotated[int, Range(1, 31)] | None = None
    weekday: Weekday | None = None
    time: Name | None = None
    zone: Name | None = None

    examples: ClassVar = (
        {"time": "09:00", "zone": "CONTACT"},
        {"weekday": "MONDAY", "time": "08:30"},
        {"day": 1, "month": 1},
        {"day": 24, "month": 12, "year": 2030, "zone": "Europe/Berlin"},
    )

    async def apply(self, batch: Batch) -> None:
        zone_of = await civil.zones(batch, self.zone)
        coming: dict[tuple[datetime, ZoneInfo, datetime | None], list[Run]] = defaultdict(list)
        for run in batch.runs:
            coming[run.entered_at, zone_of(run), run.passed.get(batch.place.key)].append(run)
        for (entered_at, zone, left), runs in coming.items():
            until = self.after(entered_at, zone, left)
            if until is None or until <= batch.now:
                batch.complete(runs)
            else:
                batch.wait(runs, until=until)

    def after(self, entered_at: datetime, zone: ZoneInfo, left: datetime | None = None) -> datetime | None:
        """When it has come for who arrived at this instant; None where it never will again.

        Who has `left` this step before does not go through it again by the same day and hour.
        """
        local = entered_at.astimezone(zone)
        at = None if self.time is None else civil.read_time(self.time)
        if at is not None and self._any_day:
            late = (local.hour * 60 + local.minute - at.hour * 60 - at.minute) % 1440
            began = civil.instant((local - timedelta(minutes=late)).date(), at, zone)
            if late < 60 and (left is None or left < began):
                return entered_at
        for day in self._days(local.date()):
            found = civil.instant(day, at or time.min, zone)
            if left is not None and left >= found:
                continue
            if at is None and day == local.date():
                return entered_at
            if found >= entered_at:
                return found
        return None

    @property
    def _any_day(self) -> bool:
        return self.year is None and self.month is None and self.day is None and self.weekday is None

    def _days(self, first: date) -> Iterator[date]:
        """The days that it can be, from this one on."""
        for year in range(first.year, first.year + YEARS_AHEAD) if self.year is None else [self.year]:
            for month in range(1, 13) if self.month is None else [self.month]:
                if (year, month) < (first.year, first.month):
                    continue
                for number in range(1, 32) if self.day is None else [self.day]:
                    day = _day(year, month, number)
                    if day is None or day < first:
                        continue
                    if self.weekday is None or _WEEKDAYS[day.weekday()] is self.weekday:
                        yield day

    def rests(self) -> bool:
        return True

    def remembers(self) -> bool:
        return True

    def faults(self) -> Iterator[Problem]:
        """What is wrong with the whole."""
        if self._any_day and self.time is None:
            yield Problem("REQUIRED", "Give at least one of year, month, day, weekday, time.")
        if self.day is not None and self.month is not None and not self._in_calendar(self.month, self.day):
            yield Problem("INVALID_VALUE", "The calendar has no such day.", ("day",))
        yield from (each for each in (civil.time_fault(self.time), civil.zone_fault(self.zone)) if each)

    def _in_calendar(self, month: int, day: int) -> bool:
        return day <= _DAYS_OF[month - 1] if self.year is None else _day(self.year, month, day) is not None

    def describe(self) -> str:
        number = self.day if self.month is None and self.day is not None else None
        words = [
            self.weekday.value.capitalize() if self.weekday else None,
            f"day {number}" if number else None,
            "-".join(f"{each:02}" for each in (self.year, self.month, self.day if self.month else None) if each),
            self.time,
        ]
        return "Wait until " + " ".join(word for word in words if word)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
