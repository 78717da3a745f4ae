"""For what a score gives points."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model


class ScoreRule(Model):
    id = fields.BigIntField(primary_key=True)
    score_id = fields.BigIntField()
    position = fields.IntField()
    label = fields.TextField()
    condition: fields.Field[Any] = fields.JSONField()
    points = fields.IntField()
    expires_after: fields.Field[Any] = fields.JSONField(null=True)
    mode = fields.TextField()
    revision = fields.IntField()
    settled_to = fields.BigIntField(null=True)
    removed_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "score_rule"
