"""A job that is not at its end; whoever holds the lock of the row works on it."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class JobLease(ReadOnly):
    """Claimed by SQL alone."""

    job_id = fields.BigIntField(primary_key=True)
    due_at = fields.DatetimeField()

    class Meta:
        table = "job_lease"
