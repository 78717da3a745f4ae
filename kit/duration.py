"""A length of time as people say it: two weeks, one month and three days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta, tzinfo
from typing import ClassVar

from dateutil.relativedelta import relativedelta

from kit.errors import Problem
from kit.sql import Sql

YEARS_MAX = 10

_DAYS_MAX = 366 * YEARS_MAX
_DAYS_OF = {
    "years": 365,
    "months": 30,
    "weeks": 7,
    "days": 1,
    "hours": 1 / 24,
    "minutes": 1 / 1440,
    "seconds": 1 / 86400,
}


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time; its parts add up. Refused: negative parts, more than ten years, no part at all.

    Years and months go by the calendar and end on the last day of shorter months; weeks to seconds are fixed
    lengths (a day is 24 hours).
    """

    choose: ClassVar[str] = "some"

    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0
    hours: int = 0
    minutes: int = 0
    seconds: int = 0

    def faults(self) -> Iterator[Problem]:
        """Everything that is wrong with it, with paths below it."""
        total = 0.0
        for part in fields(self):
            amount = getattr(self, part.name)
            if amount < 0:
                yield Problem("OUT_OF_RANGE", f"{part.name} cannot be negative.", (part.name,))
            total += max(amount, 0) * _DAYS_OF[part.name]
        if total > _DAYS_MAX:
            yield Problem("OUT_OF_RANGE", f"A duration can be {YEARS_MAX} years at most.")

    @property
    def fixed(self) -> timedelta:
        """Its weeks, days, hours, minutes and seconds."""
        return timedelta(weeks=self.weeks, days=self.days, hours=self.hours, minutes=self.minutes, seconds=self.seconds)

    @property
    def calendar(self) -> relativedelta:
        """Its years and months."""
        return relativedelta(years=self.years, months=self.months)

    @property
    def whole_days(self) -> bool:
        """Whether it can be counted on a calendar, without hours, minutes and seconds."""
        return not (self.hours or self.minutes or self.seconds)

    def after(self, instant: datetime, zone: tzinfo = UTC) -> datetime:
        """The instant this long after another; months and years by the calendar of `zone`. In UTC.

        >>> Duration(months=1).after(datetime(2026, 1, 31, tzinfo=UTC)).date().isoformat()
        '2026-02-28'
        """
        return (instant.astimezone(zone) + self.calendar).astimezone(UTC) + self.fixed

    def before(self, instant: datetime, zone: tzinfo = UTC) -> datetime:
        """The instant this long before another."""
        return (instant.astimezone(zone) - self.calendar).astimezone(UTC) - self.fixed

    def interval(self) -> Sql:
        """As an SQL interval; added to an instant in a session in UTC, as ours are, it gives what `after` gives."""
        return Sql(
            "make_interval(years => {years}::integer, months => {months}::integer, "
            "secs => {seconds}::double precision)",
            years=self.years,
            months=self.months,
            seconds=self.fixed.total_seconds(),
        )

    def describe(self) -> str:
        """In words: `1 month and 3 days`."""
        words = []
        for part in fields(self):
            amount = getattr(self, part.name)
            if amount:
                words.append(f"{amount:,} {part.name if amount != 1 else part.name[:-1]}")
        if not words:
            return "0 seconds"
        return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
