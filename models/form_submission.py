"""What somebody sent by a form, raw."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from models.contact import Contact
from models.form import Form


class FormSubmission(Model):
    id = fields.BigIntField(primary_key=True)
    form: fields.ForeignKeyRelation[Form] = fields.ForeignKeyField("models.Form", related_name=False)
    form_version = fields.IntField()
    contact: fields.ForeignKeyNullableRelation[Contact] = fields.ForeignKeyField(
        "models.Contact", related_name=False, null=True
    )
    answers: fields.Field[Any] = fields.JSONField()
    outcome = fields.TextField()
    marketing = fields.BooleanField(null=True)
    wording = fields.TextField(null=True)
    notify: fields.Field[Any] = ArrayField(element_type="bigint")
    page_name = fields.TextField(null=True)
    page_url = fields.TextField(null=True)
    ip = fields.TextField(null=True)
    user_agent = fields.TextField(null=True)
    idempotency_key = fields.TextField(null=True)
    at = fields.DatetimeField()
    confirmed_at = fields.DatetimeField(null=True)
    visitor = fields.UUIDField(null=True)
    put_off_until = fields.DatetimeField(null=True)

    class Meta:
        table = "form_submission"
