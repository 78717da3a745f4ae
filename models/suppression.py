"""The keyed hash of an erased address that must not be mailed again."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class Suppression(ReadOnly):
    """Its key is `hash` and `reason`. Written by SQL alone, which makes the hash."""

    hash = fields.BinaryField(primary_key=True)
    reason = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "suppression"
