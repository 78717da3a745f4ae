"""A custom field of contacts, and what one contact has in it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.enums.contacts import FieldType
from schema.node import Node, global_id
from schema.projection.made import column, many, one, table
from schema.scalars import JSON


@strawberry.type(description="A custom field that contacts can have.")
@table("field", "f", "field")
class Field(Node):
    id: strawberry.ID = global_id("field", "f")
    name: str = column("f.name", "The internal name, fixed.")
    label: str = column("f.label")
    type: FieldType = column("f.type")
    description: str | None = column("f.description")
    options: list[str] = column("f.options", "What DROPDOWN, LISTBOX, RADIO and CHECKBOX let choose from.")
    required: bool = column("f.required")
    group: str | None = column("f.group_name", "The name of its group.")
    position: int = column("f.position", "Fields of a group stand in the order of their positions.")
    is_default: bool = column("f.is_default", "Shown in the preview of a contact, its `about`.")
    visible: bool = column("f.visible", "False: kept, but not shown to people.")
    external_source: str | None = column("f.external_source", "The system whose id `externalId` is.")
    external_id: str | None = column("f.external_id")
    created_at: datetime = column("f.created_at")
    updated_at: datetime = column("f.updated_at")


@strawberry.type(description="A heading under which custom fields are shown.")
@table("field_group", "fg", "fieldgroup")
class FieldGroup(Node):
    id: strawberry.ID = global_id("fieldgroup", "fg")
    name: str = column("fg.name", "The internal name, fixed.")
    label: str = column("fg.label")
    position: int = column("fg.position", "Groups stand in the order of their positions.")
    fields: list[Field] = many(
        "field f WHERE lower(f.group_name) = lower(fg.name)", order="f.position, f.id", description="In their order."
    )
    created_at: datetime = column("fg.created_at")


@strawberry.type(description="What a contact has in a custom field.")
@table("field_value", "v")
class FieldValue:
    field: Field = one("field f WHERE f.id = v.field_id")
    value: JSON | None = column("v.value")
