"""What somebody is to do about a contact."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.automation import Automation
from models.contact import Contact
from models.user_account import UserAccount


class Task(Model):
    id = fields.BigIntField(primary_key=True)
    contact: fields.ForeignKeyRelation[Contact] = fields.ForeignKeyField("models.Contact", related_name="tasks")
    title = fields.TextField()
    description = fields.TextField(null=True)
    type = fields.TextField()
    status = fields.TextField()
    due_at = fields.DatetimeField(null=True)
    duration_minutes = fields.IntField(null=True)
    assignee: fields.ForeignKeyNullableRelation[UserAccount] = fields.ForeignKeyField(
        "models.UserAccount", related_name="tasks", null=True
    )
    creator: fields.ForeignKeyNullableRelation[UserAccount] = fields.ForeignKeyField(
        "models.UserAccount", related_name=False, null=True
    )
    on_save_automation: fields.ForeignKeyNullableRelation[Automation] = fields.ForeignKeyField(
        "models.Automation", related_name=False, null=True
    )
    on_complete_automation: fields.ForeignKeyNullableRelation[Automation] = fields.ForeignKeyField(
        "models.Automation", related_name=False, null=True
    )
    run_id = fields.BigIntField(null=True)
    completed_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    alert_at = fields.DatetimeField(null=True)
    alert_before_minutes = fields.IntField(null=True)
    alerts_at = fields.DatetimeField(null=True)
    alerted_at = fields.DatetimeField(null=True)
    completion_started_at = fields.DatetimeField(null=True)

    class Meta:
        table = "task"
