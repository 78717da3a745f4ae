"""A link by which somebody confirms what they asked for."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from models.form_submission import FormSubmission
from models.plan_membership import PlanMembership


class Confirmation(Model):
    id = fields.BigIntField(primary_key=True)
    submission: fields.ForeignKeyNullableRelation[FormSubmission] = fields.ForeignKeyField(
        "models.FormSubmission", related_name=False, null=True
    )
    plan_membership: fields.ForeignKeyNullableRelation[PlanMembership] = fields.ForeignKeyField(
        "models.PlanMembership", related_name=False, null=True
    )
    list_ids: fields.Field[Any] = ArrayField(element_type="bigint")
    marketing = fields.BooleanField()
    created_at = fields.DatetimeField()
    sent_at = fields.DatetimeField(null=True)
    put_off_until = fields.DatetimeField(null=True)
    confirmed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "confirmation"
