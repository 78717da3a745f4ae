"""A list that contacts can be subscribed to."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model


class ContactList(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    description = fields.TextField(null=True)
    channel = fields.TextField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    kind = fields.TextField()
    double_opt_in = fields.BooleanField()
    condition: fields.Field[Any] = fields.JSONField(null=True)

    class Meta:
        table = "contact_list"
