"""Who was not let into an automation, and why."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.automation import Automation
from models.contact import Contact


class RefusedEntry(Model):
    id = fields.BigIntField(primary_key=True)
    contact: fields.ForeignKeyRelation[Contact] = fields.ForeignKeyField(
        "models.Contact", related_name="refused_entries"
    )
    automation: fields.ForeignKeyRelation[Automation] = fields.ForeignKeyField(
        "models.Automation", related_name="refused_entries"
    )
    trigger_id = fields.BigIntField(null=True)
    event_id = fields.BigIntField(null=True)
    via = fields.TextField()
    entry_label = fields.TextField()
    actor = fields.TextField(null=True)
    reason = fields.TextField()
    run_id = fields.BigIntField(null=True)
    at = fields.DatetimeField()

    class Meta:
        table = "refused_entry"
