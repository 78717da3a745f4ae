"""Long work that somebody asked for: what it does, how far it has come, and what became of it."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.user_account import UserAccount


class Job(Model):
    id = fields.BigIntField(primary_key=True)
    kind = fields.TextField()
    parameters: fields.JSONField[dict[str, Any]] = fields.JSONField()
    mark: fields.JSONField[dict[str, Any]] = fields.JSONField()
    state = fields.TextField()
    total = fields.BigIntField(null=True)
    done = fields.BigIntField()
    unchanged = fields.BigIntField()
    refused = fields.BigIntField()
    attempt = fields.IntField()
    error = fields.TextField(null=True)
    actor = fields.TextField()
    user: fields.ForeignKeyNullableRelation[UserAccount] = fields.ForeignKeyField(
        "models.UserAccount", related_name="jobs", null=True
    )
    created_at = fields.DatetimeField()
    started_at = fields.DatetimeField(null=True)
    updated_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "job"
