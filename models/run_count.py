"""How often an automation was entered or ended for a reason; the rows are added up."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class RunCount(ReadOnly):
    """It has no key."""

    automation_id = fields.BigIntField(primary_key=True)
    end_reason = fields.TextField(null=True)
    n = fields.BigIntField()

    class Meta:
        table = "run_count"
