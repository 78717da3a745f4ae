"""Who may sign in, and what for."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class UserAccount(Model):
    id = fields.BigIntField(primary_key=True)
    email = fields.TextField()
    name = fields.TextField()
    role = fields.TextField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    deactivated_at = fields.DatetimeField(null=True)
    weekly_report = fields.BooleanField(default=True)
    unmailed = ArrayField(element_type="text", default=["JOB_FINISHED"])

    class Meta:
        table = "user_account"
