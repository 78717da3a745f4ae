"""How many points of a score a contact has in all."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class ContactScore(ReadOnly):
    """Kept by SQL alone."""

    contact_id = fields.BigIntField(primary_key=True)
    score_id = fields.BigIntField()
    total = fields.BigIntField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "contact_score"
