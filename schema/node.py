"""What every entity is (a node with a global id) and what every list is (a connection), as Relay wants them."""

from __future__ import annotations

from functools import cache
from typing import Any, Generic, TypeVar

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema
from strawberry.types import Info

from kit import ids
from kit.errors import Refused
from kit.sql import name, text
from schema.access import reader
from schema.projection.made import column
from schema.projection.read import read_nodes

T = TypeVar("T")


@strawberry.interface(description="Anything with a global id.")
class Node:
    id: strawberry.ID


def global_id(kind: str, alias: str) -> Any:
    """The `id` of a node: `contact_42`."""
    made = column("{prefix} || {alias}.id", "The global id.")
    made.metadata["made"].expression.values.update(prefix=text(f"{kind}_"), alias=name(alias))
    return made


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="A row of a page and its cursor.")
class Edge(Generic[T]):
    cursor: str
    node: T


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]]
    nodes: list[T]
    page_info: PageInfo
    total_count: int = strawberry.field(description="How many there are in all; counted only when asked for.")


@cache
def types_by_kind(schema: GraphQLSchema) -> dict[str, GraphQLObjectType]:
    """The types behind `node(id:)` by the word of their ids."""
    found: dict[str, GraphQLObjectType] = {}
    for of in schema.type_map.values():
        definition = of.extensions.get("strawberry-definition")
        table = getattr(getattr(definition, "origin", None), "__table__", None)
        if isinstance(of, GraphQLObjectType) and table is not None and table.kind is not None:
            found[table.kind] = of
    return found


def _wanted(info: Info, given: list[str]) -> list[tuple[str, int] | None]:
    types = types_by_kind(info._raw_info.schema)
    wanted: list[tuple[str, int] | None] = []
    for global_id_ in given:
        kind, _, _ = global_id_.rpartition("_")
        of = types.get(kind)
        try:
            if of is None or info.context.caller.role < of.extensions["strawberry-definition"].origin.__table__.reader:
                raise LookupError
            wanted.append((of.name, ids.take(kind, global_id_)))
        except (Refused, LookupError):
            wanted.append(None)
    return wanted


@strawberry.type
class Query:
    @strawberry.field(description="Anything by its global id; null where there is nothing under it.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        reader(info)
        return (await read_nodes(info._raw_info, _wanted(info, [id])))[0]  # type: ignore[return-value]

    @strawberry.field(description="Many by their global ids, in that order.")
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        reader(info)
        return await read_nodes(info._raw_info, _wanted(info, list(ids)))  # type: ignore[return-value]
