"""A rule about contacts that is kept under a name."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model


class Segment(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    kind = fields.TextField()
    condition: fields.Field[Any] = fields.JSONField()
    user_id = fields.BigIntField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "segment"
