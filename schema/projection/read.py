"""Reads: the selection of a root field as one statement, whose JSON goes into the answer unparsed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from graphql import GraphQLObjectType, GraphQLResolveInfo, get_named_type

from kit import db
from kit.sql import TRUE, Sql
from schema.paging import Key, Page
from schema.projection.compile import row_of
from schema.projection.connection import connection
from schema.projection.late import filled
from schema.projection.made import table_of
from schema.projection.memory import remembered
from schema.projection.selection import Asked, Document, asked


def _parts(info: GraphQLResolveInfo) -> tuple[Document, GraphQLObjectType, Asked]:
    of: Any = get_named_type(info.return_type)
    return Document.of(info), of, Asked(info.field_name, info.field_name, list(info.field_nodes))


async def read_one(
    info: GraphQLResolveInfo, where: Sql, *, rows: Iterable[int] | None = None
) -> orjson.Fragment | None:
    """The first row of the field's type for which `where` (over the type's alias) holds, or None.

    `rows`: the ids it can have, where they are known; what is made late is then made for these alone.
    """
    document, of, field = _parts(info)
    return await _answer(object_of(document, of, field, where), rows)


async def read_all(info: GraphQLResolveInfo, where: Sql, *, order: Sql) -> orjson.Fragment:
    """Every such row as a list; for what is few by nature."""
    document, of, field = _parts(info)
    table = table_of(of)
    return await _answer(
        Sql(
            "(SELECT coalesce(json_agg({row} ORDER BY {order}), '[]'::json) FROM {table} {alias} WHERE {where})",
            row=_row(document, of, field),
            order=order,
            table=Sql(table.name),
            alias=Sql(table.alias),
            where=where,
        )
    )


async def read_connection(
    info: GraphQLResolveInfo, where: Sql, *, keys: tuple[Key, ...], page: Page, each: Sql | None = None
) -> orjson.Fragment:
    """A page of such rows in the order of the keys (which end with the id). `each`: see `connection`."""
    document, of, field = _parts(info)
    return await _answer(connection(document, of, field, where=where, keys=keys, page=page, row_of=row_of, each=each))


async def read_nodes(info: GraphQLResolveInfo, wanted: list[tuple[str, int] | None]) -> list[orjson.Fragment | None]:
    """The nodes of any type in the order asked for, in one statement; None for what is not there.

    `wanted` has the GraphQL type name and the row's id of each.
    """
    document = Document.of(info)
    field = Asked(info.field_name, info.field_name, list(info.field_nodes))
    pieces = []
    for type_name in dict.fromkeys(entry[0] for entry in wanted if entry is not None):
        of: Any = document.schema.get_type(type_name)
        numbers = [entry[1] for entry in wanted if entry is not None and entry[0] == type_name]
        table = table_of(of)
        pieces.append(
            Sql(
                "SELECT {type}::text AS type, {alias}.id AS id, {row}::text AS object "
                "FROM {table} {alias} WHERE {alias}.id = ANY({ids}::bigint[]) AND {visible}",
                type=type_name,
                alias=Sql(table.alias),
                row=_row(document, of, field),
                table=Sql(table.name),
                ids=numbers,
                visible=TRUE if table.visible is None else table.visible(info.context.caller),
            )
        )
    if not pieces:
        return [None for _ in wanted]
    union = pieces[0]
    for piece in pieces[1:]:
        union = Sql("{left} UNION ALL {right}", left=union, right=piece)
    union = await filled(union, [entry[1] for entry in wanted if entry is not None])
    found = {(row["type"], row["id"]): orjson.Fragment(row["object"]) for row in await db.rows(union)}
    return [found.get(entry) if entry is not None else None for entry in wanted]


def object_of(document: Document, of: GraphQLObjectType, field: Asked, where: Sql) -> Sql:
    """The JSON of one row as an expression, NULL where there is none."""
    table = table_of(of)
    return Sql(
        "(SELECT {row} FROM {table} {alias} WHERE {where} LIMIT 1)",
        row=_row(document, of, field),
        table=Sql(table.name),
        alias=Sql(table.alias),
        where=where,
    )


def objects_of(document: Document, of: GraphQLObjectType, field: Asked, ids: list[int]) -> Sql:
    """The JSON of several rows as an expression, in the order of their ids given."""
    table = table_of(of)
    return Sql(
        "(SELECT coalesce(json_agg({row} ORDER BY array_position({ids}::bigint[], {alias}.id)), '[]'::json) "
        "FROM {table} {alias} WHERE {alias}.id = ANY({ids}::bigint[]))",
        row=_row(document, of, field),
        ids=ids,
        table=Sql(table.name),
        alias=Sql(table.alias),
    )


def _row(document: Document, of: GraphQLObjectType, field: Asked) -> Sql:
    return remembered(document, of, field, "row", lambda: row_of(document, of, asked(document, of, field.selections())))


async def _answer(expression: Sql, rows: Iterable[int] | None = None) -> Any:
    found = await db.value(await filled(Sql("SELECT {expression}::text AS answer", expression=expression), rows))
    return None if found is None else orjson.Fragment(found)
