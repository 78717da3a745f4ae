"""What an operator is: what it is asked of, what it takes, and its SQL over a value."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from kit import card
from kit.card import Path
from kit.duration import Duration
from kit.errors import Invalid, Problem
from kit.sql import Sql
from segments.clock import ClockType
from segments.dates import DateType, InstantType, Moving, TimeType
from segments.reading import Reading
from segments.values import (
    FieldOptionType,
    NumberType,
    OptionType,
    StageType,
    TextType,
    ValueType,
    shortened,
    wrong,
)

VALUES_MAX = 1_000

Types = tuple[type[ValueType], ...]

TEXTS: Types = (TextType,)
NUMBERS: Types = (NumberType,)
OPTIONS: Types = (OptionType, StageType, FieldOptionType)
TIMES: Types = (DateType, InstantType)
CLOCK: Types = (ClockType,)

_DENIED = {
    "is": "is not",
    "has": "does not have",
    "contains": "does not contain",
    "starts": "does not start",
    "ends": "does not end",
}


class Comparison(ABC):
    """One operator."""

    words: ClassVar[str]  # between the name and the value in a sentence
    types: ClassVar[Types]
    negative: ClassVar[bool] = False  # true where `test` is not
    partial: ClassVar[bool] = False  # compares with a part of a value
    about_now: ClassVar[bool] = False

    @classmethod
    def name(cls) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).upper()

    def knows(self, type: ValueType) -> bool:
        return type.__class__ in self.types

    @abstractmethod
    def read(self, type: ValueType, given: Any, path: Path) -> Any:
        """What the value is compared with. Refused (Invalid) with a path: nothing, or what the type cannot be."""

    @abstractmethod
    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        """SQL over an expression that is not NULL."""

    def values(self, value: Any) -> list[Any]:
        """The single values in what `read` gave."""
        return []

    def turns(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> list[Sql]:
        """The instants, by an expression that is not NULL, at which time alone may change what `test` says."""
        today = isinstance(type, TimeType) and Moving.TODAY in self.values(value)
        return type.turns_today(expression, reading) if today and isinstance(type, TimeType) else []

    def depends_on_time(self, value: Any) -> bool:
        # A field's type may be unknown here, and "TODAY" a text: then it is looked at once too often.
        return self.about_now or any(each in (Moving.TODAY, Moving.TODAY.value) for each in self.values(value))

    def describe(self, type: ValueType, value: Any, *, denied: bool = False) -> str:
        """`is at least 45`; denied: `is not at least 45`."""
        words, shown = self.said(denied), shortened([type.show(each) for each in self.values(value)])
        return f"{words} {shown}" if shown else words

    def said(self, denied: bool) -> str:
        """The words, or those of the opposite."""
        if not denied:
            return self.words
        if self.negative:  # what it is derived from
            return type(self).__mro__[1].words  # type: ignore[attr-defined]
        if self.words.startswith("is not "):
            return self.words.replace("is not ", "is ", 1)
        first, _, others = self.words.partition(" ")
        return f"{_DENIED[first]} {others}".strip()


class TakesOne(Comparison):
    """Takes one value."""

    def read(self, type: ValueType, given: Any, path: Path) -> Any:
        return type.read(present(given, path), path)

    def values(self, value: Any) -> list[Any]:
        return [value]


class TakesSeveral(Comparison):
    """Takes a list of values, at least one."""

    def read(self, type: ValueType, given: Any, path: Path) -> Any:
        if not isinstance(present(given, path), list):
            raise wrong("WRONG_TYPE", "Give a list.", path)
        if len(given) > VALUES_MAX:
            raise wrong("TOO_LONG", f"Give at most {VALUES_MAX:,} values.", path)
        found: list[Any] = []
        problems: list[Problem] = []
        for at, each in enumerate(given):
            try:
                found.append(type.read(present(each, (*path, str(at))), (*path, str(at))))
            except Invalid as refusal:
                problems.extend(refusal.problems)
        if problems:
            raise Invalid(*problems)
        return found

    def values(self, value: Any) -> list[Any]:
        return value


class TakesNothing(Comparison):
    """Takes no value."""

    def read(self, type: ValueType, given: Any, path: Path) -> Any:
        if given is not None:
            raise wrong("INVALID_VALUE", f"{self.name()} takes no value.", path)
        return None


class TakesLength(Comparison):
    """Takes a duration."""

    about_now = True

    def read(self, type: ValueType, given: Any, path: Path) -> Any:
        return type.read_duration(card.read(Duration, present(given, path), path), path)

    def describe(self, type: ValueType, value: Any, *, denied: bool = False) -> str:
        return f"{self.said(denied)} {value.describe()}"


def present(given: Any, path: Path) -> Any:
    """The value, or REQUIRED where there is none."""
    if given is None or given == [] or given == "":
        raise wrong("REQUIRED", "Give a value.", path)
    return given
