"""Custom fields of contacts."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit.sql import TRUE, Sql
from schema.access import Role, reader
from schema.enums import FieldType
from schema.mutation import Given, mutation
from schema.projection.read import read_all
from schema.types.field import Field
from services import fields
from services.caller import Caller


@strawberry.input(description="The name and the type of a field are fixed once it is made.")
class CreateFieldInput:
    name: str = strawberry.field(description="Internal: letters, digits and _, beginning with a letter.")
    label: str
    type: FieldType
    options: list[str] | None = strawberry.field(
        default=strawberry.UNSET, description="For DROPDOWN, LISTBOX, RADIO and CHECKBOX."
    )
    required: bool = False
    group: str | None = strawberry.UNSET


@strawberry.type
class Query:
    @strawberry.field(description="All custom fields, in the order they were made.")
    async def fields(self, info: Info) -> list[Field]:
        reader(info)
        return await read_all(info._raw_info, TRUE, order=Sql("f.id"))  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(CreateFieldInput, role=Role.ADMIN, description="Make a custom field.", field=Field)
    async def create_field(given: Given, by: Caller) -> dict:
        return {"field": await fields.create(dict(given), by=by)}
