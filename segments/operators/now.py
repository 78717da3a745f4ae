"""How far from now a day or an instant is."""

from __future__ import annotations

from typing import Any

from kit.card import Path
from kit.sql import Sql
from segments.dates import DateType
from segments.operator import TIMES, TakesLength
from segments.reading import Reading
from segments.values import ValueType


class InLast(TakesLength):
    words, types = "is in the last", TIMES

    def test(self, type: Any, expression: Sql, value: Any, reading: Reading) -> Sql:
        return type.window(expression, value, None, reading)

    def turns(self, type: Any, expression: Sql, value: Any, reading: Reading) -> list[Sql]:
        return [type.comes(expression, reading), type.fades(expression, value, reading)]


class InNext(TakesLength):
    words, types = "is in the next", TIMES

    def test(self, type: Any, expression: Sql, value: Any, reading: Reading) -> Sql:
        return type.window(expression, None, value, reading)

    def turns(self, type: Any, expression: Sql, value: Any, reading: Reading) -> list[Sql]:
        return [type.nears(expression, value, reading), type.passes(expression, reading)]


class MoreThanAgo(TakesLength):
    words, types = "is longer ago than", TIMES

    def test(self, type: Any, expression: Sql, value: Any, reading: Reading) -> Sql:
        return type.before_window(expression, value, reading)

    def turns(self, type: Any, expression: Sql, value: Any, reading: Reading) -> list[Sql]:
        return [type.fades(expression, value, reading)]


class AnniversaryInNext(TakesLength):
    """The day returns within a time from today, whatever its year; 29 February on the 28th of other years."""

    words, types = "has its anniversary in the next", TIMES

    def read(self, type: ValueType, given: Any, path: Path) -> Any:
        return DateType().read_duration(super().read(type, given, path), path)

    def test(self, type: Any, expression: Sql, value: Any, reading: Reading) -> Sql:
        return type.anniversary(expression, value, reading)

    def turns(self, type: Any, expression: Sql, value: Any, reading: Reading) -> list[Sql]:
        return type.turns_yearly(expression, value, reading)
