"""A step as it was called, shared by the versions it is in."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.automation import Automation


class AutomationStep(Model):
    id = fields.BigIntField(primary_key=True)
    automation: fields.ForeignKeyRelation[Automation] = fields.ForeignKeyField(
        "models.Automation", related_name="known_steps"
    )
    key = fields.TextField()
    kind = fields.TextField()
    label = fields.TextField()

    class Meta:
        table = "automation_step"
