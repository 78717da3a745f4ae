"""What came of an e-mail: an open, a click, a reply, a bounce."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact
from models.email_send import EmailSend


class EmailEvent(Model):
    id = fields.BigIntField(primary_key=True)
    send: fields.ForeignKeyRelation[EmailSend] = fields.ForeignKeyField("models.EmailSend", related_name=False)
    contact: fields.ForeignKeyRelation[Contact] = fields.ForeignKeyField("models.Contact", related_name=False)
    message_id = fields.BigIntField(null=True)
    campaign_id = fields.BigIntField(null=True)
    kind = fields.TextField()
    at = fields.DatetimeField()
    machine = fields.BooleanField()
    soft = fields.BooleanField()
    link = fields.TextField(null=True)
    key = fields.TextField(null=True)

    class Meta:
        table = "email_event"
