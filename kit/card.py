"""Cards: what a step, a trigger or a condition can be told, as a typed dataclass that reads itself from the API's JSON.

    @dataclass
    class AddTag(Step):
        tag: TagName

`read(AddTag, {"tag": "vip"})` gives the card or refuses with every fault and its path. The same declarations make the
inputs of the GraphQL schema (schema/cards.py), so a parameter is written down once.

A parameter is one of: `str int float Decimal bool`, an Enum (by name), `Any` (JSON), another dataclass, a list of
these, `… | None`, and the named types of kit/shape.py, which are such a type with marks. Without a default it is
required. `null` means the same as leaving it out.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from typing import Any, TypeVar

from kit import ids, text
from kit.errors import Invalid, Problem, Refused
from kit.shape import (
    AutomationId,
    CampaignId,
    FieldName,
    FormId,
    Length,
    ListId,
    MessageId,
    Name,
    Path,
    PlanId,
    Range,
    Reads,
    Ref,
    ScoreId,
    SegmentId,
    Shape,
    StepKey,
    TagName,
    Text,
    UserId,
    camel,
    parameters,
)

__all__ = [
    "AutomationId",
    "CampaignId",
    "FieldName",
    "FormId",
    "Length",
    "ListId",
    "MessageId",
    "Name",
    "Path",
    "PlanId",
    "Range",
    "Reads",
    "Ref",
    "Reference",
    "ScoreId",
    "SegmentId",
    "StepKey",
    "TagName",
    "Text",
    "UserId",
    "camel",
    "json",
    "member",
    "number",
    "read",
    "references",
]

INTEGER_MAX = 2**63 - 1
LIST_LENGTH_MAX = 1_000
JSON_DEPTH_MAX = 8

Card = TypeVar("Card")


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that a card names: its kind, its number or name, and where it is named."""

    kind: str
    key: int | str
    path: Path


class _Faulty:
    """Stands for a value that could not be read; its fault is noted already."""


_FAULTY = _Faulty()


def read(card: type[Card], given: Any, path: Path = ()) -> Card:
    """The card with these parameters. Refused (Invalid) with every fault, `path` before each.

    A class may have `faults(self)`, which yields what is wrong with the whole; `choose`: "one" if exactly one
    parameter must be given, "some" if at least one; and `null_says_nothing = False` if a `null` is to be refused.
    """
    problems: list[Problem] = []
    value = _read_card(card, given, path, problems)
    if problems:
        raise Invalid(*problems)
    return typing.cast(Card, value)


def member(given: Any, classes: dict[str, type[Any]], path: Path = ()) -> Any:
    """The one card that is given in an object with a member for each kind: `{"addTag": {"tag": "vip"}}`.

    `classes` are the cards by their names in the API. Refused (Invalid): none or several members, faulty parameters.
    """
    named = {key: value for key, value in given.items() if value is not None} if isinstance(given, dict) else {}
    if len(named) != 1:
        raise Invalid(Problem("REQUIRED", "Give exactly one kind.", path))
    ((key, content),) = named.items()
    if key not in classes:
        message = f"There is no kind {str(key)[:50]}. Kinds are {', '.join(classes)}."
        raise Invalid(Problem("INVALID_VALUE", message, (*path, str(key))))
    return read(classes[key], content, (*path, key))


def references(value: Any, path: Path = ()) -> Iterator[Reference]:
    """Everything the card names that must exist, with the paths `read` would give."""
    card: Any = type(value)
    for parameter in parameters(card):
        yield from _references(parameter.shape, getattr(value, parameter.name), (*path, parameter.key))


def _references(shape: Shape, value: Any, path: Path) -> Iterator[Reference]:
    ref = shape.mark(Ref)
    if value is None:
        return
    if hasattr(value, "references"):
        yield from value.references(path)
    elif shape.item is not None:
        for at, item in enumerate(value):
            yield from _references(shape.item, item, (*path, str(at)))
    elif ref is not None:
        yield Reference(ref.kind, value, path)
    elif dataclasses.is_dataclass(value):
        yield from references(value, path)


def _read_card(card: type, given: Any, path: Path, problems: list[Problem]) -> Any:
    if not isinstance(given, dict):
        problems.append(Problem("WRONG_TYPE", "Give an object.", path))
        return _FAULTY
    before = len(problems)
    known = parameters(card)
    for key in given:
        if not any(key == parameter.key for parameter in known):
            problems.append(Problem("UNKNOWN_FIELD", _unknown(key, [each.key for each in known]), (*path, str(key))))
    problems.extend(_choice(card, given, path))
    values = {}
    for parameter in known:
        value = given.get(parameter.key)
        where = (*path, parameter.key)
        if value is not None:
            value = _read(parameter.shape, value, where, problems)
        elif (
            parameter.key in given and not getattr(card, "null_says_nothing", True) and parameter.shape.base is not Any
        ):
            problems.append(Problem("REQUIRED", f"{parameter.key} is null: give a value or leave it out.", where))
        if value is not None:
            values[parameter.name] = value
        elif parameter.required and not any(problem.path == where for problem in problems[before:]):
            problems.append(Problem("REQUIRED", f"{parameter.key} is required.", where))
    if len(problems) > before:
        return _FAULTY
    made = card(**values)
    if hasattr(made, "faults"):
        problems.extend(problem.below(*path) for problem in made.faults())
    return made if len(problems) == before else _FAULTY


def _choice(card: type, given: dict[str, Any], path: Path) -> Iterator[Problem]:
    """The fault of a card of which one or some parameters must be given."""
    choose = getattr(card, "choose", None)
    keys = [parameter.key for parameter in parameters(card)]
    count = sum(given.get(key) is not None for key in keys)
    if choose == "one" and count != 1:
        yield Problem("REQUIRED" if count == 0 else "INVALID_VALUE", f"Give exactly one of {', '.join(keys)}.", path)
    if choose == "some" and count == 0:
        yield Problem("REQUIRED", f"Give at least one of {', '.join(keys)}.", path)


def _unknown(key: object, known: list[str]) -> str:
    close = get_close_matches(str(key), known, n=1)
    return f"There is no such parameter. Did you mean {close[0]}?" if close else "There is no such parameter."


def _read(shape: Shape, given: Any, path: Path, problems: list[Problem]) -> Any:
    """The value of one parameter; None for a text of nothing but white space; `_FAULTY` when a problem was noted."""
    base, reads, ref = shape.base, shape.mark(Reads), shape.mark(Ref)
    try:
        if reads is not None:
            return reads.read(given, path)
        if shape.item is not None:
            return _read_list(shape.item, given, path, problems)
        if isinstance(base, type) and dataclasses.is_dataclass(base):
            return _read_card(base, given, path, problems)
        if ref is not None and base is int:
            return ids.take(ref.kind, given, *path)
        return _read_plain(shape, given, path)
    except Refused as refusal:
        problems.extend(refusal.problems)
        return _FAULTY


def _read_list(item: Shape, given: Any, path: Path, problems: list[Problem]) -> Any:
    if not isinstance(given, list):
        raise _fault("WRONG_TYPE", "Give a list.", path)
    if len(given) > LIST_LENGTH_MAX:
        raise _fault("TOO_LONG", f"This list has {len(given):,} items; at most {LIST_LENGTH_MAX:,} are allowed.", path)
    before = len(problems)
    values = []
    for at, each in enumerate(given):
        where = (*path, str(at))
        value = None if each is None else _read(item, each, where, problems)
        if value is None:
            problems.append(Problem("REQUIRED", "This item is empty.", where))
        values.append(value)
    return values if len(problems) == before else _FAULTY


def _read_plain(shape: Shape, given: Any, path: Path) -> Any:
    base = shape.base
    if base is Any:
        return json(given, path)
    if base is bool:
        if not isinstance(given, bool):
            raise _fault("WRONG_TYPE", "Give true or false.", path)
        return given
    if base is str:
        return _read_text(shape, given, path)
    if isinstance(base, type) and issubclass(base, Enum):
        if isinstance(given, base):
            return given
        if not isinstance(given, str) or given not in base.__members__:
            raise _fault("INVALID_VALUE", f"Give one of {', '.join(base.__members__)}.", path)
        return base[given]
    if base in (int, float, Decimal):
        return _within(shape, number(given, path, whole=base is int), path)
    raise TypeError(f"{base!r} is no type for a parameter of a card")


def _read_text(shape: Shape, given: Any, path: Path) -> str | None:
    length = shape.mark(Length) or Length(text.LINE_LENGTH_MAX)
    found = text.fault(given, length_max=length.length_max, lines=length.lines)
    if found is not None:
        raise Invalid(found.below(*path))
    value = text.clean(given)
    ref = shape.mark(Ref)
    if ref is not None and ref.kind == "tag" and "," in value:
        raise _fault("INVALID_VALUE", "A tag cannot have a comma in its name.", path)
    return value or None


def _within(shape: Shape, value: Any, path: Path) -> Any:
    limits = shape.mark(Range)
    if limits is not None and limits.least is not None and value < limits.least:
        raise _fault("OUT_OF_RANGE", f"This must be {limits.least} at least.", path)
    if limits is not None and limits.most is not None and value > limits.most:
        raise _fault("OUT_OF_RANGE", f"This must be {limits.most} at most.", path)
    return float(value) if shape.base is float else value


def number(given: Any, path: Path = (), *, whole: bool = False) -> Any:
    """A JSON number as an int (`whole`, 64 bits) or a Decimal. Refused: other types, NaN, infinities, too long ones."""
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        raise _fault("WRONG_TYPE", "Give a number.", path)
    if whole and not isinstance(given, int):
        raise _fault("WRONG_TYPE", "Give a whole number.", path)
    size: Any = abs(given)
    if not size <= INTEGER_MAX:  # nor is NaN
        raise _fault("OUT_OF_RANGE", "This number is too large.", path)
    return given if whole else Decimal(repr(given)) if isinstance(given, float) else Decimal(given)


def json(given: Any, path: Path = (), *, depth: int = JSON_DEPTH_MAX) -> Any:
    """A JSON value that can be stored as it is. Refused: characters and numbers that cannot, too deep ones."""
    if depth == 0:
        raise _fault("TOO_DEEP", f"This value is more than {JSON_DEPTH_MAX} levels deep.", path)
    if isinstance(given, str):
        found = text.fault(given, length_max=text.TEXT_LENGTH_MAX, lines=True)
        if found is not None:
            raise Invalid(found.below(*path))
    elif isinstance(given, (list, tuple)):
        for at, each in enumerate(given):
            json(each, (*path, str(at)), depth=depth - 1)
    elif isinstance(given, dict):
        for key, each in given.items():
            json(key, path, depth=depth)
            json(each, (*path, str(key)), depth=depth - 1)
    elif given is not None and not isinstance(given, bool):
        number(given, path)
    return given


def _fault(code: str, message: str, path: Path) -> Invalid:
    return Invalid(Problem(code, message, path))
