"""What is worth remembering about a contact."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact
from models.user_account import UserAccount


class Note(Model):
    id = fields.BigIntField(primary_key=True)
    contact: fields.ForeignKeyRelation[Contact] = fields.ForeignKeyField("models.Contact", related_name="notes")
    text = fields.TextField()
    author: fields.ForeignKeyNullableRelation[UserAccount] = fields.ForeignKeyField(
        "models.UserAccount", related_name=False, null=True
    )
    run_id = fields.BigIntField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "note"
