"""What a website shows to strangers."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class Form(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    version = fields.IntField()
    active = fields.BooleanField()
    asks: fields.Field[Any] = fields.JSONField()
    double_opt_in = fields.BooleanField()
    marketing_box = fields.BooleanField()
    consent_wording = fields.TextField(null=True)
    actions: fields.Field[Any] = fields.JSONField()
    allowed_origins = ArrayField(element_type="text")
    redirect_url = fields.TextField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "form"
