"""What can be asked of a value: is it, is it one of, does it contain, is it blank; one small class each.

An operator is bound to the sorts of values that may be asked so, and a new class in this folder is in the API at once:
its name there is the class's name in capitals, IS_ANY_OF. A negative one is the exact complement of the one it is
derived from.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from enum import Enum
from typing import Any

from kit.errors import Invalid, Problem
from kit.sql import Sql
from segments.flips import earliest
from segments.operator import Comparison
from segments.places import Place
from segments.reading import Reading
from segments.values import ValueType

for _file in sorted(info.name for info in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_file}")


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
