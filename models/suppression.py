"""The keyed hash of an erased address that must not be mailed again."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Suppression(Model):
    hash = fields.BinaryField(primary_key=True)
    reason = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "suppression"
