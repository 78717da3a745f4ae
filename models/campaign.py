"""What e-mails are sent as one."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from models.message import Message


class Campaign(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    external_source = fields.TextField()
    external_id = fields.TextField(null=True)
    status = fields.TextField(default="SENT")
    message: fields.ForeignKeyNullableRelation[Message] = fields.ForeignKeyField(
        "models.Message", related_name="campaigns", null=True
    )
    list_ids = ArrayField(element_type="bigint")
    segment_id = fields.BigIntField(null=True)
    audience = fields.TextField(default="EITHER")
    send_at = fields.DatetimeField(null=True)
    fixed_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)
    members = fields.BigIntField(default=0)
    recipients = fields.BigIntField(default=0)
    skipped: fields.Field[Any] = fields.JSONField()
    stopped_by = fields.TextField(null=True)
    trusted = fields.BooleanField(default=False)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "campaign"
