"""What can be asked of a value: is it, is it one of, does it contain, is it blank; one small class each.

An operator is bound to the sorts of values that may be asked so, and a new class here is in the API at once: its name
there is the class's name in capitals, IS_ANY_OF. A negative one is the exact complement of the one it is derived from.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, ClassVar

from kit.card import Path
from kit.errors import Invalid, Problem
from kit.sql import Sql
from segments.clock import ClockType
from segments.dates import DateType, InstantType, Moving
from segments.flips import earliest
from segments.operator import Comparison, TakesLength, TakesNothing, TakesOne, TakesSeveral, Types, present
from segments.places import Place
from segments.reading import Reading
from segments.values import (
    BooleanType,
    FieldOptionType,
    NumberType,
    OptionsType,
    OptionType,
    PhoneType,
    StageType,
    TextType,
    ValueType,
    wrong,
)

TEXTS: Types = (TextType,)
NUMBERS: Types = (NumberType,)
OPTIONS: Types = (OptionType, StageType, FieldOptionType)
TIMES: Types = (DateType, InstantType)
CLOCK: Types = (ClockType,)


# --------------------------------------------------------------------------------------------------- is, and is one of


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


# ---------------------------------------------------------------------------------------------------- parts of a text


class Contains(TakesOne):
    words = "contains"
    types = TEXTS

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        return Sql("strpos(lower({e}), lower({value}::text)) > 0", e=expression, value=value)


class NotContains(Contains):
    words = "does not contain"
    negative = True


class StartsWith(TakesOne):
    words = "starts with"
    partial = True
    types = (*TEXTS, PhoneType)

    def read(self, type: ValueType, given: Any, path: Path) -> Any:
        return type.read_beginning(present(given, path), path)

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        # The range is what an index can serve, and holds every text that begins so.
        return Sql(
            """(sort_text({e}) COLLATE "C" >= sort_text({value}::text) COLLATE "C"
            AND sort_text({e}) COLLATE "C" <= (sort_text({value}::text) || U&'\\+10FFFF') COLLATE "C"
            AND starts_with(lower({e}), lower({value}::text)))""",
            e=expression,
            value=value,
        )


class EndsWith(TakesOne):
    words = "ends with"
    types = TEXTS

    def test(self, type: ValueType, expression: Sql, value: Any, reading: Reading) -> Sql:
        return Sql("right(lower({e}), length(lower({value}::text))) = lower({value}::text)", e=expression, value=value)


# ---------------------------------------------------------------------------------------------------- more and less


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


# ------------------------------------------------------------------------------------------------------- around now


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


# --------------------------------------------------------------------------------------------------- several options


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


# -------------------------------------------------------------------------------------------------------- all of them


def _all(base: type[Comparison]) -> Iterator[type[Comparison]]:
    for each in base.__subclasses__():
        if "words" in vars(each):
            yield each
        yield from _all(each)


COMPARISONS: dict[str, Comparison] = {each.name(): each() for each in _all(Comparison)}  # type: ignore[type-abstract]
Operator = Enum("Operator", {name: name for name in COMPARISONS})  # type: ignore[misc]
Operator.__doc__ = "What is asked of a value."


def faults(type: ValueType, op: Enum, given: Any) -> Iterator[Problem]:
    """What is wrong with asking a value of this type so, with paths `op` or `value…`."""
    comparison = COMPARISONS[op.name]
    if not comparison.knows(type):
        allowed = ", ".join(name for name, each in COMPARISONS.items() if each.knows(type))
        yield Problem("OPERATOR_NOT_ALLOWED", f"This is {type.word}; ask {allowed}.", ("op",))
        return
    yield from value_faults(comparison, type, given)


def value_faults(comparison: Comparison, type: ValueType, given: Any) -> Iterator[Problem]:
    """What is wrong with the value alone."""
    try:
        comparison.read(type, given, ("value",))
    except Invalid as refusal:
        yield from refusal.problems


def unfit(type: ValueType, op: Enum, given: Any, reading: Reading) -> Iterator[Problem]:
    """What the account cannot understand in values that have no `faults`."""
    comparison = COMPARISONS[op.name]
    values = [] if comparison.partial else comparison.values(comparison.read(type, given, ()))
    for at, value in enumerate(values):
        message = type.unfit(value, reading)
        if message:
            where = ("value", str(at)) if len(values) > 1 or isinstance(given, list) else ("value",)
            yield Problem("INVALID_VALUE", message, where)


def compiled(place: Place, op: Enum, given: Any, reading: Reading, *, complement: bool = False) -> Sql:
    """The two-valued test of a contact that this operator makes of the value at a place, or its complement."""
    comparison = COMPARISONS[op.name]
    value = comparison.read(place.type, given, ())
    test = comparison.test(place.type, place.expression, value, reading)
    wrap = place.lacks if comparison.negative != complement else place.holds
    return wrap(test, reading)


def described(type: ValueType, op: Enum, given: Any, *, denied: bool = False) -> str:
    """In words, `is at least 45`; denied, the words of its complement."""
    comparison = COMPARISONS[op.name]
    return comparison.describe(type, comparison.read(type, given, ()), denied=denied)


def turns(type: ValueType, expression: Sql, op: Enum, given: Any, reading: Reading) -> list[Sql]:
    """The instants at which time alone may change what is asked of an expression."""
    comparison = COMPARISONS[op.name]
    return comparison.turns(type, expression, comparison.read(type, given, ()), reading)


def flips(place: Place, op: Enum, given: Any, reading: Reading) -> Sql | None:
    """When after now time alone may change the answer for the contact `c`, NULL: never; None: for nobody."""
    found = turns(place.type, place.expression, op, given, reading)
    return place.of_value(earliest(found, reading)) if found else None


def moves(type: ValueType, op: Enum, given: Any) -> bool:
    """Whether time alone can change the answer."""
    comparison = COMPARISONS[op.name]
    return comparison.depends_on_time(comparison.read(type, given, ()))
