"""The time of day and the day of the week in rules about the moment."""

from __future__ import annotations

from datetime import time
from typing import Any

from kit.card import Path
from kit.sql import Sql
from segments.reading import Reading
from segments.values import SIGNS, ValueType, wrong

WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


class ClockType(ValueType):
    """A time of day."""

    word = "a time of day"

    def read(self, given: Any, path: Path) -> time:
        try:
            found = time.fromisoformat(given) if isinstance(given, str) and ":" in given else None
        except ValueError:
            found = None
        if found is None or found.tzinfo is not None:
            raise wrong("WRONG_TYPE", 'Give a time of day as "09:30".', path)
        return found

    def compare(self, expression: Sql, sign: str, value: time, reading: Reading) -> Sql:
        """11:00 is the whole hour from 11:00 to 11:59 (domain 2.5), 11:15 the whole minute."""
        if sign == "=":
            last = value.replace(second=59, microsecond=999_999)
            last = last if value.minute else last.replace(minute=59)
            return Sql("({e} >= {first}::time AND {e} <= {last}::time)", e=expression, first=value, last=last)
        return Sql("{e} {sign} {at}::time", e=expression, sign=SIGNS[sign], at=value)

    def show(self, value: time) -> str:
        return value.isoformat("minutes" if not value.second else "auto")
