"""Something that must never be, and how often it was found to be so."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class InvariantCheck(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    violations = fields.BigIntField(null=True)
    checked_at = fields.DatetimeField()

    class Meta:
        table = "invariant_check"
