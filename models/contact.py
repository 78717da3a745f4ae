"""A person we know, by an address, a number or both."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.company import Company


class Contact(Model):
    id = fields.BigIntField(primary_key=True)
    email = fields.TextField(null=True)
    phone = fields.TextField(null=True)
    first_name = fields.TextField(null=True)
    last_name = fields.TextField(null=True)
    job_title = fields.TextField(null=True)
    company: fields.ForeignKeyNullableRelation[Company] = fields.ForeignKeyField(
        "models.Company", related_name="contacts", null=True
    )
    timezone = fields.TextField(null=True)
    lifecycle_stage = fields.TextField()
    engagement_level = fields.TextField()
    previous_engagement_level = fields.TextField()
    marketing_opt_in_at = fields.DatetimeField(null=True)
    origin = fields.TextField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    marketing_revoked_at = fields.DatetimeField(null=True)
    external_source = fields.TextField(null=True)
    external_id = fields.TextField(null=True)
    has_account = fields.BooleanField()
    country = fields.TextField(null=True)
    region = fields.TextField(null=True)
    city = fields.TextField(null=True)
    postal_code = fields.TextField(null=True)
    location_told = fields.BooleanField()

    class Meta:
        table = "contact"
