"""A contact as a member of a plan."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact
from models.plan import Plan


class PlanMembership(Model):
    id = fields.BigIntField(primary_key=True)
    external_source = fields.TextField()
    external_id = fields.TextField()
    contact: fields.ForeignKeyRelation[Contact] = fields.ForeignKeyField("models.Contact", related_name=False)
    plan: fields.ForeignKeyRelation[Plan] = fields.ForeignKeyField("models.Plan", related_name=False)
    status = fields.TextField()
    started_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)
    confirmed_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "plan_membership"
