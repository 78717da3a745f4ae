"""A way that contacts are led, as people edit it."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class Automation(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    description = fields.TextField(null=True)
    status = fields.TextField()
    timezone = fields.TextField(null=True)
    entry_policy = fields.TextField()
    exit_on_unsubscribe = fields.BooleanField(default=False)
    unsubscribe_lists: Any = ArrayField("bigint", null=True)
    draft: Any = fields.JSONField(null=True)
    version = fields.IntField(default=0)
    version_id = fields.BigIntField(null=True)
    active_since = fields.DatetimeField(null=True)
    stopped_by = fields.TextField(null=True)
    warned_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "automation"
