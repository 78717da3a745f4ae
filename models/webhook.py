"""Another system that wants to hear what happens to contacts."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class Webhook(Model):
    id = fields.BigIntField(primary_key=True)
    url = fields.TextField()
    kinds = ArrayField(element_type="text")
    description = fields.TextField(null=True)
    secret = fields.BinaryField()
    secret_before = fields.BinaryField(null=True)
    secret_before_until = fields.DatetimeField(null=True)
    paused_at = fields.DatetimeField(null=True)
    paused_for = fields.TextField(null=True)
    failing_since = fields.DatetimeField(null=True)
    rests_until = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "webhook"
