"""Saved views: columns, filter and order of the contacts, for oneself or for everybody."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import Sql, all_of
from schema import paging
from schema.access import Role, reader
from schema.cards import ConditionInput
from schema.enums.views import ContactColumn
from schema.mutation import Given, mutation
from schema.paged import paged
from schema.paging import Key
from schema.projection.read import read_one
from schema.sorting import ContactSortInput
from schema.types.view import View
from services import views
from services.caller import Caller

BY_NAME = (Key("name", Sql("lower(vw.name)"), "text"), paging.by_id("vw"))


@strawberry.input(description="A column of a view; FIELD takes the name of a custom field in `fieldName`.")
class ViewColumnInput:
    by: ContactColumn
    field_name: str | None = strawberry.UNSET


@strawberry.input(description="At least one column, in the order in which they are shown.")
class CreateViewInput:
    name: str
    columns: list[ViewColumnInput]
    where: ConditionInput | None = strawberry.UNSET
    search: str | None = strawberry.UNSET
    sort: list[ContactSortInput] | None = strawberry.UNSET
    shared: bool = strawberry.field(default=False, description="Everybody sees it, and only you and admins change it.")


@strawberry.input(description="What is absent stays; null clears where, search and sort.")
class UpdateViewInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    columns: list[ViewColumnInput] | None = strawberry.UNSET
    where: ConditionInput | None = strawberry.UNSET
    search: str | None = strawberry.UNSET
    sort: list[ContactSortInput] | None = strawberry.UNSET
    shared: bool | None = strawberry.UNSET


@strawberry.input(description="The contacts stay.")
class DeleteViewInput:
    id: strawberry.ID


@strawberry.type
class Query:
    @strawberry.field(description="One view, of one's own or shared; admins see all.")
    async def view(self, info: Info, id: strawberry.ID) -> View | None:
        where = [views.readable(reader(info)), Sql("vw.id = {id}::bigint", id=ids.find("view", id) or 0)]
        return await read_one(info._raw_info, all_of(where))  # type: ignore[return-value]

    views = paged(
        View, keys=BY_NAME, description="One's own views and those that are shared, by name.", where=views.visible
    )


def _values(given: Given) -> dict:
    """What is to be kept; null says nothing where nothing cannot be."""
    words = ("name", "columns", "where", "search", "sort", "shared")
    values = given.named(**{word: word for word in words})
    return {key: value for key, value in values.items() if value is not None or key in ("where", "search", "sort")}


@strawberry.type
class Mutation:
    @mutation(CreateViewInput, role=Role.MEMBER, description="Keep a view of the contacts.", view=View)
    async def create_view(given: Given, by: Caller) -> dict:
        return {"view": await views.create(_values(given), by=by)}

    @mutation(UpdateViewInput, role=Role.MEMBER, description="Change a view.", view=View)
    async def update_view(given: Given, by: Caller) -> dict:
        view = given.id("id", "view")
        await views.update(view, _values(given), by=by)
        return {"view": view}

    @mutation(DeleteViewInput, role=Role.MEMBER, description="Delete a view.", view=View)
    async def delete_view(given: Given, by: Caller) -> dict:
        view = given.id("id", "view")
        return {"view": view, "afterwards": lambda: views.delete(view, by=by)}
