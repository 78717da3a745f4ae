"""Which of several options were chosen."""

from __future__ import annotations

from typing import Any

from kit.sql import Sql
from segments.operator import TakesSeveral
from segments.reading import Reading
from segments.values import OptionsType, ValueType


class HasAll(TakesSeveral):
    words = "has all of"
    types = (OptionsType,)

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        return Sql("{e} ?& {options}::text[]", e=expression, options=value)


class HasAny(TakesSeveral):
    words = "has one of"
    types = (OptionsType,)

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        return Sql("{e} ?| {options}::text[]", e=expression, options=value)


class HasNone(HasAny):
    words = "has none of"
    negative = True
