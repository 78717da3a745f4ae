"""The settings of this deployment, in one row."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Account(Model):
    id = fields.SmallIntField(primary_key=True)
    name = fields.TextField()
    timezone = fields.TextField()
    default_country = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "account"
