"""How a contact stands on a list."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact
from models.contact_list import ContactList
from models.user_account import UserAccount


class Membership(Model):
    id = fields.BigIntField(primary_key=True)
    contact: fields.ForeignKeyRelation[Contact] = fields.ForeignKeyField("models.Contact", related_name="memberships")
    list: fields.ForeignKeyRelation[ContactList] = fields.ForeignKeyField(
        "models.ContactList", related_name="memberships"
    )
    status = fields.TextField()
    source = fields.TextField(null=True)
    source_detail = fields.TextField(null=True)
    subscribed_at = fields.DatetimeField(null=True)
    confirmed_at = fields.DatetimeField(null=True)
    unsubscribed_at = fields.DatetimeField(null=True)
    unsubscribed_by = fields.TextField(null=True)
    user: fields.ForeignKeyNullableRelation[UserAccount] = fields.ForeignKeyField(
        "models.UserAccount", related_name=False, null=True
    )
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    form_id = fields.BigIntField(null=True)
    soft_bounces = fields.IntField()
    permission_by = fields.TextField(null=True)

    class Meta:
        table = "membership"
