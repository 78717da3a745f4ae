"""A run at a step: what happened there, when and why."""

from __future__ import annotations

from typing import Any

from tortoise import fields

from models.read_only import ReadOnly


class Visit(ReadOnly):
    """Its key is the run and the number of the visit together."""

    run_id = fields.BigIntField(primary_key=True)
    step_id = fields.IntField()
    seq = fields.IntField()
    status = fields.TextField()
    entered_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)
    reason = fields.TextField(null=True)
    branch = fields.TextField(null=True)
    detail: Any = fields.JSONField(null=True)

    class Meta:
        table = "visit"
