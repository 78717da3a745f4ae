"""What can be sent: a template with its subject and its parts."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Message(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField(null=True)
    hash = fields.BinaryField(null=True)
    channel = fields.TextField(default="EMAIL")
    subject = fields.TextField(null=True)
    preheader = fields.TextField(null=True)
    format = fields.TextField(default="HTML")
    source = fields.TextField(null=True)
    html = fields.TextField(null=True)
    text = fields.TextField(null=True)
    url = fields.TextField(null=True)
    from_name = fields.TextField(null=True)
    reply_to = fields.TextField(null=True)
    tracked = fields.BooleanField(default=True)
    version = fields.IntField(default=1)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "message"
