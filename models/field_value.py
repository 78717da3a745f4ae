"""What a contact has in a custom field."""

from __future__ import annotations

from typing import Any

from tortoise import fields

from models.field import Field
from models.read_only import ReadOnly


class FieldValue(ReadOnly):
    """Its key is the contact and the field together."""

    contact_id = fields.BigIntField(primary_key=True)
    field: fields.ForeignKeyRelation[Field] = fields.ForeignKeyField("models.Field", related_name="values")
    value: Any = fields.JSONField()
    text_value = fields.TextField(null=True)
    number_value = fields.DecimalField(max_digits=60, decimal_places=30, null=True)
    date_value = fields.DateField(null=True)
    time_value = fields.DatetimeField(null=True)

    class Meta:
        table = "field_value"
