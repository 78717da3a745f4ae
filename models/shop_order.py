"""What somebody bought."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact


class ShopOrder(Model):
    id = fields.BigIntField(primary_key=True)
    external_source = fields.TextField()
    external_id = fields.TextField()
    contact: fields.ForeignKeyNullableRelation[Contact] = fields.ForeignKeyField(
        "models.Contact", related_name=False, null=True
    )
    status = fields.TextField()
    number = fields.TextField(null=True)
    total = fields.DecimalField(max_digits=30, decimal_places=10)
    currency = fields.TextField(null=True)
    physical = fields.BooleanField()
    customer_name = fields.TextField(null=True)
    customer_email = fields.TextField(null=True)
    billing_address: fields.Field[Any] = fields.JSONField(null=True)
    shipping_address: fields.Field[Any] = fields.JSONField(null=True)
    items: fields.Field[Any] = fields.JSONField()
    ordered_at = fields.DatetimeField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "shop_order"
