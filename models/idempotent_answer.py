"""What was answered to a call under its key, so that the same call again changes nothing."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model


class IdempotentAnswer(Model):
    id = fields.BigIntField(primary_key=True)
    actor = fields.TextField()
    key = fields.TextField()
    operation = fields.TextField()
    input = fields.BinaryField()
    answer: fields.JSONField[Any] = fields.JSONField()
    at = fields.DatetimeField()

    class Meta:
        table = "idempotent_answer"
