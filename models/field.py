"""A custom field of contacts."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class Field(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    label = fields.TextField()
    type = fields.TextField()
    options = ArrayField("text")
    required = fields.BooleanField(default=False)
    group_name = fields.TextField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    description = fields.TextField(null=True)
    position = fields.IntField()
    is_default = fields.BooleanField()
    visible = fields.BooleanField()
    external_source = fields.TextField(null=True)
    external_id = fields.TextField(null=True)

    class Meta:
        table = "field"
