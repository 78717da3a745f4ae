"""How the level of engagement of a contact came about, and when to look again."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact


class Engagement(Model):
    contact: fields.OneToOneRelation[Contact] = fields.OneToOneField(
        "models.Contact", related_name=False, primary_key=True
    )
    delivered = fields.IntField()
    engaged = fields.IntField()
    since = fields.DatetimeField(null=True)
    computed_at = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)

    class Meta:
        table = "engagement"
