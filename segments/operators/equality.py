"""What a value is: this, one of these, or nothing."""

from __future__ import annotations

from typing import Any

from kit.sql import Sql
from segments.operator import CLOCK, NUMBERS, OPTIONS, TEXTS, TIMES, TakesNothing, TakesOne, TakesSeveral
from segments.reading import Reading
from segments.values import BooleanType, OptionsType, PhoneType, ValueType


class Is(TakesOne):
    words = "is"
    types = (*TEXTS, PhoneType, *NUMBERS, *OPTIONS, BooleanType, *TIMES, *CLOCK)

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        return type.compare(expression, "=", value, reading)


class IsNot(Is):
    words = "is not"
    negative = True


class IsAnyOf(TakesSeveral):
    words = "is one of"
    types = (*TEXTS, PhoneType, *NUMBERS, *OPTIONS)

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        return type.among(expression, value, reading)


class IsNoneOf(IsAnyOf):
    words = "is none of"
    negative = True


class IsNotBlank(TakesNothing):
    words = "is not blank"
    types = (*TEXTS, PhoneType, *NUMBERS, *OPTIONS, OptionsType, *TIMES)

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        return type.filled(expression)


class IsBlank(IsNotBlank):
    words = "is blank"
    negative = True
