"""What a page of contacts shows, kept under a name: columns, a rule, a search and an order."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model


class SavedView(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    columns: fields.Field[Any] = fields.JSONField()
    condition: fields.Field[Any] = fields.JSONField(null=True)
    search = fields.TextField(null=True)
    sort: fields.Field[Any] = fields.JSONField()
    shared = fields.BooleanField()
    user_id = fields.BigIntField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "saved_view"
