"""Something that somebody did on a website or in an app."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model


class TrackedEvent(Model):
    id = fields.BigIntField(primary_key=True)
    site_id = fields.BigIntField(null=True)
    visitor_id = fields.BigIntField(null=True)
    contact_id = fields.BigIntField(null=True)
    at = fields.DatetimeField()
    name = fields.TextField()
    value = fields.TextField(null=True)
    number_value = fields.DecimalField(max_digits=30, decimal_places=10, null=True)
    properties: fields.Field[Any] = fields.JSONField(null=True)
    device = fields.TextField(null=True)
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "tracked_event"
