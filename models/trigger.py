"""What lets contacts into an automation."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.automation import Automation


class Trigger(Model):
    id = fields.BigIntField(primary_key=True)
    automation: fields.ForeignKeyRelation[Automation] = fields.ForeignKeyField(
        "models.Automation", related_name="triggers"
    )
    position = fields.IntField()
    kind = fields.TextField()
    subject = fields.BigIntField(null=True)
    parameters: Any = fields.JSONField()
    condition: Any = fields.JSONField(null=True)
    runs = fields.TextField()
    enabled = fields.BooleanField(default=True)
    scanned_day = fields.DateField(null=True)
    scanned_contact = fields.BigIntField(null=True)
    removed_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "trigger"
