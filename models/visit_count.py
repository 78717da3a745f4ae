"""How many visits a step had of a kind; the rows of a step are added up."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class VisitCount(ReadOnly):
    """It has no key."""

    step_id = fields.BigIntField(primary_key=True)
    status = fields.TextField()
    reason = fields.TextField(null=True)
    branch = fields.TextField(null=True)
    n = fields.BigIntField()

    class Meta:
        table = "visit_count"
