"""What a contact wrote about a product."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact


class Review(Model):
    id = fields.BigIntField(primary_key=True)
    external_source = fields.TextField()
    external_id = fields.TextField()
    contact: fields.ForeignKeyRelation[Contact] = fields.ForeignKeyField("models.Contact", related_name=False)
    rating = fields.IntField(null=True)
    text = fields.TextField(null=True)
    product = fields.TextField(null=True)
    written_at = fields.DatetimeField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "review"
