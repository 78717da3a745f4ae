"""What somebody gave."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact


class Donation(Model):
    id = fields.BigIntField(primary_key=True)
    external_source = fields.TextField()
    external_id = fields.TextField()
    contact: fields.ForeignKeyNullableRelation[Contact] = fields.ForeignKeyField(
        "models.Contact", related_name=False, null=True
    )
    amount = fields.DecimalField(max_digits=30, decimal_places=10)
    currency = fields.TextField(null=True)
    given_at = fields.DatetimeField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "donation"
