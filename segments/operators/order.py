"""What is more and what is less, earlier and later."""

from __future__ import annotations

from typing import Any, ClassVar

from kit.card import Path
from kit.errors import Invalid, Problem
from kit.sql import Sql
from segments.dates import Moving
from segments.operator import CLOCK, NUMBERS, TIMES, Comparison, TakesOne, present
from segments.reading import Reading
from segments.values import StageType, ValueType, wrong


class _Ordered(TakesOne):
    sign: ClassVar[str]

    def read(self, type: ValueType, given: Any, path: Path) -> Any:
        return type.read_ordered(present(given, path), path)

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        return type.compare(expression, self.sign, value, reading)


class LessThan(_Ordered):
    words, sign, types = "is less than", "<", NUMBERS


class AtMost(_Ordered):
    words, sign, types = "is at most", "<=", NUMBERS


class MoreThan(_Ordered):
    words, sign, types = "is more than", ">", NUMBERS


class AtLeast(_Ordered):
    words, sign, types = "is at least", ">=", NUMBERS


class Before(_Ordered):
    words, sign, types = "is before", "<", (*TIMES, *CLOCK, StageType)


class After(_Ordered):
    words, sign, types = "is after", ">", (*TIMES, *CLOCK, StageType)


class OnOrBefore(_Ordered):
    words, sign, types = "is on or before", "<=", (*TIMES, *CLOCK, StageType)


class OnOrAfter(_Ordered):
    words, sign, types = "is on or after", ">=", (*TIMES, *CLOCK, StageType)


class Between(Comparison):
    """From one value to another, both included: `{"from": 1, "to": 5}` or `[1, 5]`."""

    words = "is between"
    types = (*NUMBERS, *TIMES, *CLOCK)

    def read(self, type: ValueType, given: Any, path: Path) -> Any:
        keys = ("0", "1") if isinstance(present(given, path), list) else ("from", "to")
        ends = dict(zip(keys, given, strict=False)) if isinstance(given, list) and len(given) == 2 else given
        if not isinstance(ends, dict) or set(ends) - set(keys):
            raise wrong("WRONG_TYPE", 'Give {"from": …, "to": …} or a list of two.', path)
        found: list[Any] = []
        problems: list[Problem] = []
        for key in keys:
            try:
                found.append(type.read(present(ends.get(key), (*path, key)), (*path, key)))
            except Invalid as refusal:
                problems.extend(refusal.problems)
        if problems:
            raise Invalid(*problems)
        first, last = found
        if first.__class__ is last.__class__ and not isinstance(first, Moving | dict) and first > last:
            raise wrong("INVALID_VALUE", "The first must not be more than the second.", path)
        return found

    def values(self, value: Any) -> list[Any]:
        return value

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        return Sql(
            "({first} AND {last})",
            first=type.compare(expression, ">=", value[0], reading),
            last=type.compare(expression, "<=", value[1], reading),
        )

    def describe(self, type: ValueType, value: Any, *, denied: bool = False) -> str:
        return f"{self.said(denied)} {type.show(value[0])} and {type.show(value[1])}"
