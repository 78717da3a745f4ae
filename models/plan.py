"""What people can be members of."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Plan(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    paid = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "plan"
