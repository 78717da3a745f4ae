"""A graph of steps as it once was live; it never changes."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.automation import Automation


class AutomationVersion(Model):
    id = fields.BigIntField(primary_key=True)
    automation: fields.ForeignKeyRelation[Automation] = fields.ForeignKeyField(
        "models.Automation", related_name="versions"
    )
    number = fields.IntField()
    graph: Any = fields.JSONField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "automation_version"
