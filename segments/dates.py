"""Days and instants in rules: civil days of the account's zone, windows around now, anniversaries."""

from __future__ import annotations

import re
from abc import abstractmethod
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any

from kit.card import Path
from kit.duration import Duration
from kit.sql import Sql
from segments import flips
from segments.reading import Reading
from segments.values import SIGNS, ValueType, wrong

YEAR_LEAST = 1000  # what PostgreSQL, Python and people can all reckon with
YEAR_MOST = 9000

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Moving(Enum):
    """A day that is another one tomorrow."""

    TODAY = "TODAY"


class TimeType(ValueType):
    """What days and instants have in common."""

    @abstractmethod
    def window(self, expression: Sql, start: Duration | None, end: Duration | None, reading: Reading) -> Sql:
        """SQL that is true from `start` before now to `end` after now; None is now itself, both ends included."""

    @abstractmethod
    def before_window(self, expression: Sql, length: Duration, reading: Reading) -> Sql:
        """SQL that is true more than `length` ago."""

    @abstractmethod
    def day_of(self, expression: Sql, reading: Reading) -> Sql:
        """SQL for the civil day of the expression."""

    @abstractmethod
    def comes(self, expression: Sql, reading: Reading) -> Sql:
        """The instant at which now is no longer before the expression."""

    @abstractmethod
    def passes(self, expression: Sql, reading: Reading) -> Sql:
        """The instant at which now is after it."""

    @abstractmethod
    def nears(self, expression: Sql, length: Duration, reading: Reading) -> Sql:
        """The instant, or one before it, at which the expression is no more than this ahead."""

    @abstractmethod
    def fades(self, expression: Sql, length: Duration, reading: Reading) -> Sql:
        """The instant, or one before it, at which the expression is longer ago than this."""

    def turns_today(self, expression: Sql, reading: Reading) -> list[Sql]:
        """The instants at which today comes to the expression's day and goes on from it."""
        day = self.day_of(expression, reading)
        return [flips.start_of(day, reading), flips.start_of(day, reading, days_later=1)]

    def turns_yearly(self, expression: Sql, within: Duration, reading: Reading) -> list[Sql]:
        """The instants at which an `anniversary` comes near and is over."""
        day = flips.next_anniversary(self.day_of(expression, reading), reading)
        return [flips.day_apart(day, within, reading, back=True), flips.start_of(day, reading, days_later=1)]

    def anniversary(self, expression: Sql, within: Duration, reading: Reading) -> Sql:
        """SQL that is true where the day returns, in whatever year, between today and `within` from today."""
        days = _days_of_year(reading.today, reading.today + within.calendar + within.fixed)
        return Sql(
            "(extract(month FROM {day}) * 100 + extract(day FROM {day}))::integer = ANY({days}::integer[])",
            day=self.day_of(expression, reading),
            days=days,
        )

    def show(self, value: Any) -> str:
        return "today" if value is Moving.TODAY else value.isoformat()


class DateType(TimeType):
    """A civil day."""

    word = "a day"

    def read(self, given: Any, path: Path) -> date | Moving:
        if given == "TODAY":
            return Moving.TODAY
        if not isinstance(given, str) or not _DAY.fullmatch(given):
            raise wrong("WRONG_TYPE", 'Give a day as "2026-11-22", or "TODAY".', path)
        try:
            day = date.fromisoformat(given)
        except ValueError:
            raise wrong("INVALID_VALUE", "The calendar has no such day.", path) from None
        return _in_range(day, path)

    def compare(self, expression: Sql, sign: str, value: date | Moving, reading: Reading) -> Sql:
        day = reading.today if isinstance(value, Moving) else value
        return Sql("{e} {sign} {day}::date", e=expression, sign=SIGNS[sign], day=day)

    def read_duration(self, given: Duration, path: Path) -> Duration:
        if not given.whole_days:
            raise wrong("INVALID_VALUE", "This field holds days: count in days, weeks, months or years.", path)
        return given

    def window(self, expression: Sql, start: Duration | None, end: Duration | None, reading: Reading) -> Sql:
        today = reading.today
        return Sql(
            "{e} BETWEEN {first}::date AND {last}::date",
            e=expression,
            first=today - start.calendar - start.fixed if start else today,
            last=today + end.calendar + end.fixed if end else today,
        )

    def before_window(self, expression: Sql, length: Duration, reading: Reading) -> Sql:
        return Sql("{e} < {day}::date", e=expression, day=reading.today - length.calendar - length.fixed)

    def day_of(self, expression: Sql, reading: Reading) -> Sql:
        return expression

    def comes(self, expression: Sql, reading: Reading) -> Sql:
        return flips.start_of(expression, reading)

    def passes(self, expression: Sql, reading: Reading) -> Sql:
        return flips.start_of(expression, reading, days_later=1)

    def nears(self, expression: Sql, length: Duration, reading: Reading) -> Sql:
        return flips.day_apart(expression, length, reading, back=True)

    def fades(self, expression: Sql, length: Duration, reading: Reading) -> Sql:
        return flips.day_apart(expression, length, reading, more=1)


class InstantType(TimeType):
    """A point in time; compared with a day, the civil day of the account's zone from its first to its last instant."""

    word = "a day or a time"

    def read(self, given: Any, path: Path) -> date | datetime | Moving:
        if not isinstance(given, str) or "T" not in given or given == "TODAY":
            return DateType().read(given, path)
        try:
            instant = datetime.fromisoformat(given)
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            message = 'Give a time with its offset from UTC, as "2026-11-22T09:30:00+01:00", or a day.'
            raise wrong("WRONG_TYPE", message, path)
        return _in_range(instant, path).astimezone(UTC)

    def compare(self, expression: Sql, sign: str, value: date | datetime | Moving, reading: Reading) -> Sql:
        if isinstance(value, datetime):
            return Sql("{e} {sign} {at}::timestamptz", e=expression, sign=SIGNS[sign], at=value)
        day = reading.today if isinstance(value, Moving) else value
        borders = {"start": reading.start_of(day), "end": reading.end_of(day)}
        return Sql(_OF_A_DAY[sign], e=expression, **borders)

    def window(self, expression: Sql, start: Duration | None, end: Duration | None, reading: Reading) -> Sql:
        return Sql(
            "{e} BETWEEN {first}::timestamptz AND {last}::timestamptz",
            e=expression,
            first=start.before(reading.now, reading.zone) if start else reading.now,
            last=end.after(reading.now, reading.zone) if end else reading.now,
        )

    def before_window(self, expression: Sql, length: Duration, reading: Reading) -> Sql:
        return Sql("{e} < {at}::timestamptz", e=expression, at=length.before(reading.now, reading.zone))

    def day_of(self, expression: Sql, reading: Reading) -> Sql:
        return Sql("({e} AT TIME ZONE {zone}::text)::date", e=expression, zone=reading.timezone)

    def comes(self, expression: Sql, reading: Reading) -> Sql:
        return expression

    def passes(self, expression: Sql, reading: Reading) -> Sql:
        return flips.just_after(expression)

    def nears(self, expression: Sql, length: Duration, reading: Reading) -> Sql:
        return flips.instant_apart(expression, length, reading, back=True)

    def fades(self, expression: Sql, length: Duration, reading: Reading) -> Sql:
        return flips.instant_apart(expression, length, reading)


_OF_A_DAY = {
    "<": "{e} < {start}::timestamptz",
    "<=": "{e} < {end}::timestamptz",
    "=": "({e} >= {start}::timestamptz AND {e} < {end}::timestamptz)",
    ">=": "{e} >= {start}::timestamptz",
    ">": "{e} >= {end}::timestamptz",
}


def _in_range(day: Any, path: Path) -> Any:
    if not YEAR_LEAST <= day.year <= YEAR_MOST:
        raise wrong("OUT_OF_RANGE", f"Years from {YEAR_LEAST} to {YEAR_MOST} are understood.", path)
    return day


def _days_of_year(first: date, last: date) -> list[int]:
    """Month and day of every day from first to last as 1231; with 28 February also the 29th where there is none."""
    found = set()
    for number in range(min((last - first).days, 366) + 1):
        day = first + timedelta(days=number)
        found.add(day.month * 100 + day.day)
        if (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).month == 3:
            found.add(229)
    return sorted(found)
