"""A word that contacts are marked with."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Tag(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    description = fields.TextField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "tag"
