"""Points that a contact has, by a rule or given by hand."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class ScoreAward(Model):
    id = fields.BigIntField(primary_key=True)
    contact_id = fields.BigIntField()
    score_id = fields.BigIntField()
    rule_id = fields.BigIntField(null=True)
    points = fields.BigIntField()
    at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    expired = fields.BooleanField()
    revision = fields.IntField()

    class Meta:
        table = "score_award"
