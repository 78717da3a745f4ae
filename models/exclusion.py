"""Addresses to which no e-mail goes."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from models.user_account import UserAccount


class Exclusion(Model):
    id = fields.BigIntField(primary_key=True)
    kind = fields.TextField()
    value = fields.TextField()
    list_ids = ArrayField(element_type="bigint")
    reason = fields.TextField(null=True)
    user: fields.ForeignKeyNullableRelation[UserAccount] = fields.ForeignKeyField(
        "models.UserAccount", related_name=False, null=True
    )
    created_at = fields.DatetimeField()

    class Meta:
        table = "exclusion"
