"""The settings of this deployment, in one row."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model


class Account(Model):
    id = fields.SmallIntField(primary_key=True)
    name = fields.TextField()
    timezone = fields.TextField()
    default_country = fields.TextField()
    created_at = fields.DatetimeField()
    settings: fields.Field[Any] = fields.JSONField()
    secret = fields.BinaryField()
    engagement_from = fields.BigIntField(null=True)

    class Meta:
        table = "account"
