"""The inputs of conditions, steps and triggers, made of what their cards declare: a new card is in the API at once."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import typing
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any

import strawberry
from strawberry.scalars import JSON

from kit.card import Reads, Ref, camel
from kit.shape import Parameter, Shape, parameters
from schema import enums
from segments import condition
from workflows import step, trigger
from workflows.graph import DrawnBranch, DrawnStep
from workflows.trigger import DrawnTrigger


@cache
def input_for(card: type, name: str) -> type:
    """The input of a card: its parameters under their names in the API, required where the card requires them.

    A default is printed where it says something (`status: MembershipStatus = ACTIVE`). Defaults that only mean
    "nothing" (None, 0, an empty list) are left out, so that what is absent stays absent.
    """
    members = {each.name: (_type_of(each), _default_of(each), each.key) for each in parameters(card)}
    return _input(name, members, description_of(card), one_of=getattr(card, "choose", None) == "one")


def one_of(name: str, members: dict[str, Any], description: str) -> type:
    """An input of which exactly one member is given; `members` are the types by their names in the API."""
    return _input(
        name,
        {_python_name(key): (typing.Optional[of], strawberry.UNSET, key) for key, of in members.items()},  # noqa: UP045
        description,
        one_of=True,
    )


def description_of(card: type) -> str:
    """The first line of the card's file and what its class adds."""
    own = "" if (card.__doc__ or "").startswith(f"{card.__name__}(") else inspect.cleandoc(card.__doc__ or "")
    if not hasattr(card, "kind"):
        return own
    file = (sys.modules[card.__module__].__doc__ or "").split("\n")[0]
    return " ".join(part for part in (file, own) if part)


def _input(name: str, members: dict[str, tuple[Any, Any, str]], description: str, *, one_of: bool) -> type:
    content: dict[str, Any] = {"__annotations__": {}, "__module__": __name__}
    for python_name, (of, default, key) in sorted(members.items(), key=lambda member: member[1][1] is not ...):
        content["__annotations__"][python_name] = of
        given = {} if default is ... else {"default": default}
        content[python_name] = strawberry.field(name=key, **given)
    return strawberry.input(type(name, (), content), one_of=one_of, description=description or None)


def _type_of(parameter: Parameter) -> Any:
    of = _graphql(parameter.shape)
    return of if parameter.required else typing.Optional[of]  # noqa: UP045


def _default_of(parameter: Parameter) -> Any:
    """The printed default; `...` for a required parameter, UNSET for none."""
    if parameter.required:
        return ...
    default = parameter.default
    if isinstance(default, Enum):
        return _enum(type(default))[default.name]
    return default if default or default is False else strawberry.UNSET


def _graphql(shape: Shape) -> Any:
    reads = shape.mark(Reads)
    if reads is not None:
        return reads.input  # by name: this file has them all
    if shape.item is not None:
        return list[_graphql(shape.item)]
    if shape.mark(Ref) is not None and shape.base is int:
        return strawberry.ID
    if shape.base is Any:
        return JSON
    if dataclasses.is_dataclass(shape.base):
        return _input_below(shape.base)
    if issubclass(shape.base, Enum):
        return _enum(shape.base)
    return float if shape.base is Decimal else shape.base


def _input_below(card: Any) -> type:
    """The input of a card inside another one, called after its class."""
    return input_for(card, f"{card.__name__.removeprefix('Drawn')}Input")


@cache
def _enum(words: type[Enum]) -> type[Enum]:
    """The API's enum of this name, if it has one already, else the card's own."""
    return enums.find(words.__name__) or strawberry.enum(words, description=inspect.getdoc(words))


def _python_name(key: str) -> str:
    return f"{key}_"  # `not` is no name in Python


def pascal(kind: str) -> str:
    """`add_tag` as a name of a type: AddTag."""
    return "".join(word.capitalize() for word in kind.split("_"))


ConditionInput: Any = one_of(
    "ConditionInput",
    {
        "all": list["ConditionInput"],
        "any": list["ConditionInput"],
        "not": "ConditionInput",
        **{card.key(): input_for(card, f"{pascal(kind)}ConditionInput") for kind, card in condition.kinds().items()},
    },
    "A rule about contacts: one condition, or a group of them. Nothing never means everyone.",
)
StepActionInput = one_of(
    "StepActionInput",
    {camel(kind): input_for(card, f"{pascal(kind)}StepInput") for kind, card in step.kinds().items()},
    "What a step does.",
)
TriggerEventInput = one_of(
    "TriggerEventInput",
    {camel(kind): input_for(card, f"{pascal(kind)}TriggerInput") for kind, card in trigger.kinds().items()},
    "What lets contacts in.",
)
BranchInput = input_for(DrawnBranch, "BranchInput")
StepInput = input_for(DrawnStep, "StepInput")
TriggerInput = input_for(DrawnTrigger, "TriggerInput")
