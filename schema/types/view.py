"""A saved view: which columns of which contacts in which order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from kit import clock
from kit.sql import Sql
from schema.enums.views import ContactColumn, ContactSortKey, SortDirection
from schema.node import Node, global_id
from schema.projection.late import Later
from schema.projection.made import column, many, one, table
from schema.scalars import JSON
from schema.types.field import Field
from schema.types.user import User
from services import view_state, views

_COLUMNS = "jsonb_array_elements(vw.columns) WITH ORDINALITY AS vc (item, place) WHERE TRUE"
_SORT = "jsonb_array_elements(vw.sort) WITH ORDINALITY AS vs (item, place) WHERE TRUE"
_MISSING = """({name} IS NOT NULL AND NOT EXISTS (SELECT FROM field f WHERE lower(f.name) = lower({name})))"""
_COLUMN_NAME, _SORT_NAME = Sql("(vc.item ->> 'fieldName')"), Sql("(vs.item ->> 'fieldName')")


async def _broken(_: Any) -> Sql:
    """The ids of the views of which something is no more."""
    return Sql("{ids}::bigint[]", ids=await view_state.broken(now=await clock.now()))


@strawberry.type(description="A column of a view.")
@table("", "vc")
class ViewColumn:
    by: ContactColumn = column("(vc.item ->> 'by')")
    field_name: str | None = column(_COLUMN_NAME, "Of FIELD: the name of the custom field.")
    field: Field | None = one(Sql("field f WHERE lower(f.name) = lower({name})", name=_COLUMN_NAME))
    missing: bool = column(Sql(_MISSING, name=_COLUMN_NAME), "The custom field was deleted: leave the column out.")


@strawberry.type(description="What contacts are sorted by in a view.")
@table("", "vs")
class ViewSort:
    by: ContactSortKey = column("(vs.item ->> 'by')")
    direction: SortDirection = column("coalesce(vs.item ->> 'direction', 'ASC')")
    field_name: str | None = column(_SORT_NAME)
    missing: bool = column(Sql(_MISSING, name=_SORT_NAME), "The custom field was deleted; the order goes without it.")


@strawberry.type(description="Columns, a filter and an order, kept under a name. `contacts(view:)` shows who is in it.")
@table("saved_view", "vw", "view", visible=views.readable)
class View(Node):
    id: strawberry.ID = global_id("view", "vw")
    name: str = column("vw.name")
    columns: list[ViewColumn] = many(_COLUMNS, order="vc.place", description="In the order they were given.")
    where: JSON | None = column("vw.condition", "The filter, as a ConditionInput; null: everybody.")
    search: str | None = column("vw.search")
    sort: list[ViewSort] = many(_SORT, order="vs.place")
    shared: bool = column("vw.shared", "Everybody sees it. Otherwise it is listed for its owner alone.")
    owner: User = one("user_account u WHERE u.id = vw.user_id")
    has_broken_references: bool = column(
        Sql("(vw.id = ANY({broken}))", broken=Sql("{later}", later=Later(_broken))),
        "Whether a column, the order or the filter names what is not there.",
    )
    created_at: datetime = column("vw.created_at")
    updated_at: datetime = column("vw.updated_at")
