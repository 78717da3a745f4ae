"""One effect that leaves the house, and what became of it."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from models.contact import Contact
from models.message import Message


class Delivery(Model):
    id = fields.BigIntField(primary_key=True)
    key = fields.TextField()
    contact: fields.ForeignKeyNullableRelation[Contact] = fields.ForeignKeyField(
        "models.Contact", related_name="deliveries", null=True
    )
    channel = fields.TextField()
    origin = fields.TextField()
    status = fields.TextField(default="QUEUED")
    reason = fields.TextField(null=True)
    message: fields.ForeignKeyNullableRelation[Message] = fields.ForeignKeyField(
        "models.Message", related_name="deliveries", null=True
    )
    campaign_id = fields.BigIntField(null=True)
    automation_id = fields.BigIntField(null=True)
    step_id = fields.BigIntField(null=True)
    run_id = fields.BigIntField(null=True)
    seq = fields.IntField(null=True)
    list_ids = ArrayField(element_type="bigint")
    content: fields.Field[Any] = fields.JSONField(null=True)
    attempt = fields.IntField(default=0)
    crashes = fields.IntField(default=0)
    due_at = fields.DatetimeField(null=True)
    answer = fields.TextField(null=True)
    provider_id = fields.TextField(null=True)
    bounce = fields.TextField(null=True)
    untold = fields.BooleanField(default=False)
    queued_at = fields.DatetimeField()
    data_at = fields.DatetimeField(null=True)
    finished_at = fields.DatetimeField(null=True)
    left_at = fields.DatetimeField(null=True)
    webhook_id = fields.BigIntField(null=True)

    class Meta:
        table = "delivery"
