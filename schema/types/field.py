"""A custom field of contacts, and what one contact has in it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.enums import FieldType
from schema.node import Node, global_id
from schema.projection.made import column, one, table
from schema.scalars import JSON


@strawberry.type(description="A custom field that contacts can have.")
@table("field", "f", "field")
class Field(Node):
    id: strawberry.ID = global_id("field", "f")
    name: str = column("f.name", "The internal name, fixed.")
    label: str = column("f.label")
    type: FieldType = column("f.type")
    options: list[str] = column("f.options", "What DROPDOWN, LISTBOX, RADIO and CHECKBOX let choose from.")
    required: bool = column("f.required")
    group: str | None = column("f.group_name")
    created_at: datetime = column("f.created_at")
    updated_at: datetime = column("f.updated_at")


@strawberry.type(description="What a contact has in a custom field.")
@table("field_value", "v")
class FieldValue:
    field: Field = one("field f WHERE f.id = v.field_id")
    value: JSON | None = column("v.value")
