"""The GraphQL schema: merged from the rooms found in this folder, each with its Query, Mutation or Subscription."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema, Undefined
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types


def _rooms() -> list[Any]:
    names = sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.ispkg)
    return [importlib.import_module(f"{__name__}.{name}") for name in names]


def _root(name: str, rooms: list[Any]) -> Any:
    return merge_types(name, tuple(getattr(room, name) for room in rooms if hasattr(room, name)))


@cache
def _schema() -> strawberry.Schema:
    from schema.execution import Executor
    from schema.mutation import straight
    from schema.scalars import SCALARS

    rooms = _rooms()
    built = strawberry.Schema(
        query=_root("Query", rooms),
        mutation=_root("Mutation", rooms),
        subscription=_root("Subscription", rooms),
        execution_context_class=Executor,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    _leave_out_null_defaults(built._schema)
    straight(built._schema)
    return built


def _leave_out_null_defaults(built: GraphQLSchema) -> None:
    """`first: Int`, not `first: Int = null`: an argument that is left out is absent, and the SDL reads well."""
    for of in built.type_map.values():
        if isinstance(of, GraphQLObjectType):
            for definition in of.fields.values():
                for argument in definition.args.values():
                    if argument.default_value is None:
                        argument.default_value = Undefined


def __getattr__(name: str) -> Any:
    """`from schema import schema` builds it at its first use; once, as Strawberry's classes serve one schema only."""
    if name == "schema":
        return _schema()
    raise AttributeError(name)
