"""The account that a contact has at the shop."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact


class CustomerAccount(Model):
    id = fields.BigIntField(primary_key=True)
    contact: fields.ForeignKeyRelation[Contact] = fields.ForeignKeyField("models.Contact", related_name=False)
    external_source = fields.TextField()
    external_id = fields.TextField(null=True)
    payment: fields.Field[Any] = fields.JSONField(null=True)
    billing_address: fields.Field[Any] = fields.JSONField(null=True)
    shipping_address: fields.Field[Any] = fields.JSONField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "customer_account"
