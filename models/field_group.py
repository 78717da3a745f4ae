"""A group of custom fields."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class FieldGroup(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    label = fields.TextField()
    position = fields.IntField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "field_group"
