"""What the parameters of a card can be: the types they are declared with, and what is known of each."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, TypeVar, Union

from kit import text

Mark = TypeVar("Mark")
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ref:
    """The parameter names something that must exist: an `int` by its global id, a `str` by its name."""

    kind: str


@dataclass(frozen=True, slots=True)
class Length:
    """How long a text may be, in characters, and whether it may have several lines."""

    length_max: int
    lines: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest number allowed, both included."""

    least: int | Decimal | None = None
    most: int | Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reads:
    """The parameter reads itself: `read(given, path)` returns its value or raises `Refused`.

    `input` is the name of its GraphQL input. If the value has a method `references(path)`, it is asked for them.
    """

    read: Callable[[Any, Path], Any]
    input: str


Name = Annotated[str, Length(200)]
Text = Annotated[str, Length(text.TEXT_LENGTH_MAX, lines=True)]
TagName = Annotated[str, Length(100), Ref("tag")]
FieldName = Annotated[str, Length(60), Ref("field")]
StepKey = Annotated[str, Length(60), Ref("step")]
ListId = Annotated[int, Ref("list")]
AutomationId = Annotated[int, Ref("automation")]
UserId = Annotated[int, Ref("user")]
FormId = Annotated[int, Ref("form")]
PlanId = Annotated[int, Ref("plan")]
SegmentId = Annotated[int, Ref("segment")]
CampaignId = Annotated[int, Ref("campaign")]
MessageId = Annotated[int, Ref("message")]
ScoreId = Annotated[int, Ref("score")]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a parameter can be: a plain type, perhaps a list of another shape, with its marks."""

    base: Any
    item: Shape | None = None
    optional: bool = False
    marks: tuple[Any, ...] = ()

    def mark(self, kind: type[Mark]) -> Mark | None:
        return next((mark for mark in self.marks if isinstance(mark, kind)), None)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a card: `name` in Python, `key` in the API."""

    name: str
    key: str
    shape: Shape
    required: bool
    default: Any


@cache
def parameters(card: type) -> tuple[Parameter, ...]:
    """The parameters of a card in the order they are declared."""
    hints = typing.get_type_hints(card, include_extras=True)
    found = []
    for field in dataclasses.fields(card):
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        factory = field.default_factory
        default = None if required else factory() if factory is not dataclasses.MISSING else field.default
        found.append(Parameter(field.name, camel(field.name), _shape(hints[field.name]), required, default))
    return tuple(found)


def camel(name: str) -> str:
    """`list_id` as the API spells it: `listId`. A last underscore, as in `is_`, only keeps Python content."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def _shape(hint: Any) -> Shape:
    origin = typing.get_origin(hint)
    if origin is Annotated:
        base, *marks = typing.get_args(hint)
        if any(isinstance(mark, Reads) for mark in marks):
            return Shape(Any, marks=tuple(marks))
        inner = _shape(base)
        return dataclasses.replace(inner, marks=(*inner.marks, *marks))
    if origin in (Union, types.UnionType):
        (inner,) = (member for member in typing.get_args(hint) if member is not types.NoneType)
        return dataclasses.replace(_shape(inner), optional=True)
    if origin is list:
        return Shape(list, item=_shape(typing.get_args(hint)[0]))
    return Shape(hint)
