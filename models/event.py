"""A fact about a contact: its activity, and what triggers answer to."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model


class Event(Model):
    id = fields.BigIntField(primary_key=True)
    contact_id = fields.BigIntField()
    kind = fields.TextField()
    at = fields.DatetimeField()
    recorded_at = fields.DatetimeField()
    subject = fields.BigIntField(null=True)
    actor = fields.TextField()
    data: Any = fields.JSONField(null=True)

    class Meta:
        table = "event"
