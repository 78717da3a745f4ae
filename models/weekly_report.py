"""How many subscribers came and went in a week."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class WeeklyReport(Model):
    id = fields.BigIntField(primary_key=True)
    week = fields.DateField()
    begins_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    total_before = fields.BigIntField()
    total = fields.BigIntField()
    subscribed = fields.BigIntField()
    unsubscribed = fields.BigIntField()
    website = fields.BigIntField()
    checkout = fields.BigIntField()
    imported = fields.BigIntField()
    forms = fields.BigIntField()
    others = fields.BigIntField()
    recipients = ArrayField(element_type="bigint")
    created_at = fields.DatetimeField()

    class Meta:
        table = "weekly_report"
