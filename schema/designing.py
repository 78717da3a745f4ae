"""What a designer can draw with: every kind of step, trigger and condition, as its card describes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLNonNull, GraphQLSchema, get_named_type
from strawberry.types import Info

from kit import card
from kit.shape import Range, Ref, Shape, parameters
from schema.access import reader
from schema.cards import description_of, pascal
from schema.scalars import JSON
from segments import condition
from workflows import step, trigger


@strawberry.type(description="Something that a step, a trigger or a condition can be told.")
class KindParameter:
    name: str
    type: str = strawberry.field(description="In GraphQL: String!, [ID!], ConditionInput …")
    required: bool
    default: JSON | None = strawberry.field(description="What holds where it is left out; null for nothing.")
    options: list[str] = strawberry.field(description="What it can be, where only some words are.")
    names: str | None = strawberry.field(description="What it names: tag, field, list, form, automation, step, user …")
    least: float | None
    most: float | None


@strawberry.type(description="A kind of step, trigger or condition.")
class DescribedKind:
    kind: str = strawberry.field(description="As StepKind and TriggerKind have it: ADD_TAG.")
    key: str = strawberry.field(description="The member of StepActionInput, TriggerEventInput or ConditionInput.")
    description: str
    parameters: list[KindParameter]
    examples: list[JSON] = strawberry.field(description="Each can be given as it is, with names that exist.")
    branches: list[str] = strawberry.field(description="The ways out of a step that has more than one, where fixed.")


@strawberry.type
class Query:
    @strawberry.field(description="The kinds of steps.")
    async def step_kinds(self, info: Info) -> list[DescribedKind]:
        reader(info)
        return list(_described(step.kinds(), "StepInput", info._raw_info.schema))

    @strawberry.field(description="The kinds of triggers.")
    async def trigger_kinds(self, info: Info) -> list[DescribedKind]:
        reader(info)
        return list(_described(trigger.kinds(), "TriggerInput", info._raw_info.schema))

    @strawberry.field(description="The kinds of conditions; besides, all, any and not make groups of them.")
    async def condition_kinds(self, info: Info) -> list[DescribedKind]:
        reader(info)
        return list(_described(condition.kinds(), "ConditionInput", info._raw_info.schema))


def _described(cards: Mapping[str, type], suffix: str, schema: GraphQLSchema) -> Iterable[DescribedKind]:
    for kind, each in cards.items():
        yield _kind(kind, each, f"{pascal(kind)}{suffix}", schema)


@cache
def _kind(kind: str, of: Any, input_name: str, schema: GraphQLSchema) -> DescribedKind:
    given = schema.type_map[input_name]
    assert isinstance(given, GraphQLInputObjectType)
    branches = getattr(of, "branches", ())
    return DescribedKind(
        kind=kind.upper(),
        key=card.camel(kind),
        description=description_of(of),
        parameters=[_parameter(each, given) for each in parameters(of)],
        examples=list(of.examples),
        branches=list(branches) if isinstance(branches, tuple) else [],
    )


def _parameter(each: Any, given: GraphQLInputObjectType) -> KindParameter:
    of = given.fields[each.key].type
    named = get_named_type(of)
    ref, limits = _mark(each.shape, Ref), _mark(each.shape, Range)
    default: Any = each.default.name if isinstance(each.default, Enum) else _plain(each.default)
    return KindParameter(
        name=each.key,
        type=str(of),
        required=isinstance(of, GraphQLNonNull) and each.required,
        default=default,
        options=list(named.values) if isinstance(named, GraphQLEnumType) else [],
        names=None if ref is None else ref.kind,
        least=None if limits is None or limits.least is None else float(limits.least),
        most=None if limits is None or limits.most is None else float(limits.most),
    )


def _mark(shape: Shape, kind: Any) -> Any:
    """The mark of a parameter, or of what it is a list of."""
    return shape.mark(kind) or (_mark(shape.item, kind) if shape.item is not None else None)


def _plain(default: Any) -> Any:
    """A default as JSON; what only means "nothing" is null."""
    return default if isinstance(default, (bool, int, float, str)) else None
