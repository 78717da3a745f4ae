"""Custom fields of contacts, and the groups they stand in."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.types import Info

from kit.sql import TRUE, Sql
from schema.access import Role, reader
from schema.enums.contacts import FieldType
from schema.mutation import Given, mutation
from schema.projection.read import read_all
from schema.types.field import Field, FieldGroup
from services import field_groups, fields
from services.caller import Caller
from services.given import camel
from workflows import naming

# Ungrouped fields first, then group by group.
_IN_ORDER = """
    (SELECT fg.position FROM field_group fg WHERE lower(fg.name) = lower(f.group_name)) NULLS FIRST,
    lower(f.group_name) NULLS FIRST,
    f.position,
    f.id
"""
_NAMES = {
    camel(key): key
    for key in (
        *("name", "type", "label", "options", "required", "group", "description", "position", "is_default", "visible"),
        *("external_source", "external_id"),
    )
}


_REQUIRED = "Whether people must fill it in."
_OPTIONS = "For DROPDOWN, LISTBOX, RADIO and CHECKBOX."


def _more(description: str | None = None) -> Any:
    return strawberry.field(default=strawberry.UNSET, description=description)


@strawberry.input(description="The name and the type of a field are fixed once it is made.")
class CreateFieldInput:
    name: str = strawberry.field(description="Internal: letters, digits and _, beginning with a letter.")
    label: str
    type: FieldType
    options: list[str] | None = _more(_OPTIONS)
    required: bool = strawberry.field(default=False, description=_REQUIRED)
    group: str | None = _more("By name; created if unknown.")
    description: str | None = _more()
    position: int | None = _more("Among the fields of its group.")
    is_default: bool | None = _more("Whether it is shown in the preview of a contact.")
    visible: bool | None = _more("False hides it from people.")
    external_source: str | None = _more()
    external_id: str | None = _more()


@strawberry.input(description="What is absent stays. An option that some contact has cannot be taken away.")
class UpdateFieldInput:
    id: strawberry.ID
    label: str | None = _more()
    options: list[str] | None = _more(_OPTIONS)
    required: bool | None = _more(_REQUIRED)
    group: str | None = _more("By name; created if unknown.")
    description: str | None = _more()
    position: int | None = _more("Among the fields of its group.")
    is_default: bool | None = _more("Whether it is shown in the preview of a contact.")
    visible: bool | None = _more("False hides it from people.")
    external_source: str | None = _more()
    external_id: str | None = _more()


@strawberry.input(description="Deletes what every contact has in it. Conditions that name it find nobody with a value.")
class DeleteFieldInput:
    id: strawberry.ID
    confirm: bool = strawberry.field(description="Must be true: “I understand this cannot be undone”.")


@strawberry.input(description="A heading for fields. The name is fixed once it is made.")
class CreateFieldGroupInput:
    name: str
    label: str | None = strawberry.field(default=strawberry.UNSET, description="The name, unless it is said.")
    position: int | None = strawberry.UNSET


@strawberry.input(description="What is absent stays.")
class UpdateFieldGroupInput:
    id: strawberry.ID
    label: str | None = strawberry.UNSET
    position: int | None = strawberry.UNSET


@strawberry.type
class Query:
    @strawberry.field(description="All custom fields, group by group in their order.")
    async def fields(self, info: Info) -> list[Field]:
        reader(info)
        return await read_all(info._raw_info, TRUE, order=Sql(_IN_ORDER))  # type: ignore[return-value]

    @strawberry.field(description="The groups of custom fields, in their order.")
    async def field_groups(self, info: Info) -> list[FieldGroup]:
        reader(info)
        return await read_all(info._raw_info, TRUE, order=Sql("fg.position, lower(fg.name)"))  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(CreateFieldInput, role=Role.ADMIN, description="Make a custom field.", field=Field)
    async def create_field(given: Given, by: Caller) -> dict:
        return {"field": await fields.create(given.named(**_NAMES), by=by)}

    @mutation(UpdateFieldInput, role=Role.ADMIN, description="Change how a custom field is shown.", field=Field)
    async def update_field(given: Given, by: Caller) -> dict:
        field = given.id("id", "field")
        await fields.update(field, given.named(**_NAMES), by=by)
        return {"field": field}

    @mutation(
        DeleteFieldInput, role=Role.ADMIN, description="Delete a custom field for good. No trigger fires.", field=Field
    )
    async def delete_field(given: Given, by: Caller) -> dict:
        field = given.id("id", "field")
        given.confirmed()
        # The answer shows the field as it was, so it is made first.
        return {"field": field, "afterwards": lambda: naming.delete_field(field, by=by)}

    @mutation(CreateFieldGroupInput, role=Role.ADMIN, description="Make a group of custom fields.", group=FieldGroup)
    async def create_field_group(given: Given, by: Caller) -> dict:
        return {"group": await field_groups.create(dict(given), by=by)}

    @mutation(UpdateFieldGroupInput, role=Role.ADMIN, description="Label or move a group.", group=FieldGroup)
    async def update_field_group(given: Given, by: Caller) -> dict:
        group = given.id("id", "fieldgroup")
        await field_groups.update(group, given.named(label="label", position="position"), by=by)
        return {"group": group}
