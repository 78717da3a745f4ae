"""A number that says how well a contact fits, or how much it is interested."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Score(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    description = fields.TextField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "score"
