"""Writes the SQL of a selection: each object is a row turned into JSON, each list an aggregate below it."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLObjectType, get_named_type

from kit.sql import NOTHING, Sql, all_of, text
from schema.projection import connection
from schema.projection.json import json_object
from schema.projection.made import Branched, Connected, Inline, Many, One, OneFor, Scalar, made_of
from schema.projection.selection import TYPENAME, Asked, Document, asked


def row_of(document: Document, of: GraphQLObjectType, fields: list[Asked]) -> Sql:
    """The JSON of one row whose alias is in scope: an expression."""
    return json_object([(field.key, _column(document, of, field)) for field in fields])


def _column(document: Document, of: GraphQLObjectType, field: Asked) -> Sql:
    if field.name == TYPENAME:
        return text(of.name)
    definition = of.fields[field.name]
    made = made_of(definition)
    if isinstance(made, Scalar):
        return made.expression
    target = get_named_type(definition.type)
    if isinstance(made, Connected):
        return connection.nested(document, target, field, made, field.arguments(document, definition), row_of)
    if isinstance(made, Branched):
        return connection.branched(document, target, field, made, field.arguments(document, definition), row_of)
    row = row_of(document, target, asked(document, target, field.selections()))
    if isinstance(made, Inline):
        return row if made.present is None else Sql("CASE WHEN {present} THEN {row} END", present=made.present, row=row)
    if isinstance(made, One):
        return Sql("(SELECT {row} FROM {rows})", row=row, rows=made.rows)
    if isinstance(made, OneFor):
        return Sql("(SELECT {row} FROM {rows})", row=row, rows=made.rows(field.arguments(document, definition)))
    assert isinstance(made, Many)
    return _many(row, made, field.arguments(document, definition))


def _many(row: Sql, made: Many, arguments: dict[str, Any]) -> Sql:
    found = made.asked_for(arguments)
    return Sql(
        "(SELECT coalesce(json_agg({row} ORDER BY {order}), '[]'::json) FROM {rows}{conditions})",
        row=row,
        order=made.order,
        rows=made.rows,
        conditions=Sql(" AND {all}", all=all_of(found)) if found else NOTHING,
    )
