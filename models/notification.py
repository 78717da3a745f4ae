"""Something that a user of the team is told."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact
from models.user_account import UserAccount


class Notification(Model):
    id = fields.BigIntField(primary_key=True)
    user: fields.ForeignKeyRelation[UserAccount] = fields.ForeignKeyField(
        "models.UserAccount", related_name="notifications"
    )
    kind = fields.TextField()
    contact: fields.ForeignKeyNullableRelation[Contact] = fields.ForeignKeyField(
        "models.Contact", related_name="notifications", null=True
    )
    subject = fields.BigIntField(null=True)
    data: fields.JSONField[dict[str, Any]] = fields.JSONField()
    mail = fields.BooleanField(default=False)
    created_at = fields.DatetimeField()
    read_at = fields.DatetimeField(null=True)

    class Meta:
        table = "notification"
