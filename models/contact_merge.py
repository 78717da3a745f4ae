"""What a merge of two contacts did, to take it back."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact
from models.user_account import UserAccount


class ContactMerge(Model):
    id = fields.BigIntField(primary_key=True)
    kept: fields.ForeignKeyNullableRelation[Contact] = fields.ForeignKeyField(
        "models.Contact", related_name=False, null=True
    )
    gone_id = fields.BigIntField()
    before: fields.Field[Any] = fields.JSONField()
    user: fields.ForeignKeyNullableRelation[UserAccount] = fields.ForeignKeyField(
        "models.UserAccount", related_name=False, null=True
    )
    merged_at = fields.DatetimeField()
    undone_at = fields.DatetimeField(null=True)

    class Meta:
        table = "contact_merge"
