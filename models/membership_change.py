"""One transition of a membership; they all stay."""

from __future__ import annotations

from tortoise import fields

from models.membership import Membership
from models.read_only import ReadOnly


class MembershipChange(ReadOnly):
    """Written by the table of memberships itself."""

    id = fields.BigIntField(primary_key=True)
    membership: fields.ForeignKeyRelation[Membership] = fields.ForeignKeyField("models.Membership", related_name=False)
    at = fields.DatetimeField()
    from_status = fields.TextField(null=True)
    to_status = fields.TextField()
    source = fields.TextField(null=True)
    source_detail = fields.TextField(null=True)
    form_id = fields.BigIntField(null=True)
    actor = fields.TextField()

    class Meta:
        table = "membership_change"
