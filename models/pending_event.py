"""A fact that the engine has not looked at yet."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class PendingEvent(Model):
    event_id = fields.BigIntField(primary_key=True)

    class Meta:
        table = "pending_event"
