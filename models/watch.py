"""A rule whose members are kept, because somebody wants to know who comes and goes."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Watch(Model):
    id = fields.BigIntField(primary_key=True)
    kind = fields.TextField()
    subject_id = fields.BigIntField()
    rule = fields.TextField(null=True)
    waits_for = fields.BigIntField(null=True)
    scanned_to = fields.BigIntField(null=True)
    settled_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)
    failed_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "watch"
