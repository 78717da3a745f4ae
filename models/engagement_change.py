"""A level of engagement that a contact has had and left."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact


class EngagementChange(Model):
    id = fields.BigIntField(primary_key=True)
    contact: fields.ForeignKeyRelation[Contact] = fields.ForeignKeyField("models.Contact", related_name=False)
    level = fields.TextField()
    since = fields.DatetimeField(null=True)
    until = fields.DatetimeField()

    class Meta:
        table = "engagement_change"
