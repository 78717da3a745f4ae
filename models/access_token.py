"""A secret that a program signs in with; only its hash is kept."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.user_account import UserAccount


class AccessToken(Model):
    id = fields.BigIntField(primary_key=True)
    user: fields.ForeignKeyRelation[UserAccount] = fields.ForeignKeyField("models.UserAccount", related_name="tokens")
    name = fields.TextField()
    prefix = fields.TextField()
    hash = fields.BinaryField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    last_used_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "access_token"
