"""What a contact has spent and given in all."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class ContactTotal(ReadOnly):
    """Kept by SQL alone."""

    contact_id = fields.BigIntField(primary_key=True)
    total_spent = fields.DecimalField(max_digits=30, decimal_places=10, null=True)
    order_count = fields.IntField()
    first_order_at = fields.DatetimeField(null=True)
    last_order_at = fields.DatetimeField(null=True)
    total_given = fields.DecimalField(max_digits=30, decimal_places=10, null=True)
    gift_count = fields.IntField()
    first_gift_at = fields.DatetimeField(null=True)
    last_gift_at = fields.DatetimeField(null=True)
    member_since = fields.DatetimeField(null=True)

    class Meta:
        table = "contact_total"
