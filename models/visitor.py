"""A browser, by a number that it made up itself."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Visitor(Model):
    id = fields.BigIntField(primary_key=True)
    token = fields.UUIDField()
    contact_id = fields.BigIntField(null=True)
    seen_at = fields.DatetimeField()

    class Meta:
        table = "visitor"
