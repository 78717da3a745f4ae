"""An e-mail to one contact, and the first signs of what came of it."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact


class EmailSend(Model):
    id = fields.BigIntField(primary_key=True)
    key = fields.TextField()
    contact: fields.ForeignKeyRelation[Contact] = fields.ForeignKeyField("models.Contact", related_name=False)
    message_id = fields.BigIntField(null=True)
    campaign_id = fields.BigIntField(null=True)
    automation_id = fields.BigIntField(null=True)
    step_id = fields.BigIntField(null=True)
    origin = fields.TextField()
    sent_at = fields.DatetimeField()
    opened_at = fields.DatetimeField(null=True)
    clicked_at = fields.DatetimeField(null=True)
    replied_at = fields.DatetimeField(null=True)
    forwarded_at = fields.DatetimeField(null=True)
    bounced_at = fields.DatetimeField(null=True)
    bounce = fields.TextField(null=True)
    complained_at = fields.DatetimeField(null=True)

    class Meta:
        table = "email_send"
