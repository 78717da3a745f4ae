"""One contact's way through one automation."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.automation import Automation
from models.automation_version import AutomationVersion
from models.contact import Contact


class Run(Model):
    id = fields.BigIntField(primary_key=True)
    contact: fields.ForeignKeyRelation[Contact] = fields.ForeignKeyField("models.Contact", related_name="runs")
    automation: fields.ForeignKeyRelation[Automation] = fields.ForeignKeyField("models.Automation", related_name="runs")
    version: fields.ForeignKeyRelation[AutomationVersion] = fields.ForeignKeyField(
        "models.AutomationVersion", related_name="runs"
    )
    entry_number = fields.IntField()
    via = fields.TextField()
    trigger_id = fields.BigIntField(null=True)
    event_id = fields.BigIntField(null=True)
    entry_label = fields.TextField()
    actor = fields.TextField(null=True)
    depth = fields.IntField(default=0)
    step_key = fields.TextField(null=True)
    seq = fields.IntField(default=0)
    moves = fields.IntField(default=0)
    waiting = fields.BooleanField(default=False)
    watching = fields.BooleanField(default=False)
    due_at = fields.DatetimeField(null=True)
    deadline_at = fields.DatetimeField(null=True)
    attempt = fields.IntField(default=0)
    paused_at = fields.DatetimeField(null=True)
    started_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)
    end_reason = fields.TextField(null=True)

    class Meta:
        table = "run"
