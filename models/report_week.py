"""A week that was looked at for the report of subscribers."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class ReportWeek(Model):
    week = fields.DateField(primary_key=True)
    total = fields.BigIntField()

    class Meta:
        table = "report_week"
