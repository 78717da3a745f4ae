"""What e-mails are sent as one."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Campaign(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    external_source = fields.TextField()
    external_id = fields.TextField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "campaign"
