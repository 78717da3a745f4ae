"""A company that contacts work for."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Company(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "company"
