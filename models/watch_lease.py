"""A segment that somebody looks at live, and until when that is known."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class WatchLease(ReadOnly):
    """Kept by SQL alone."""

    segment_id = fields.BigIntField(primary_key=True)
    until = fields.DatetimeField()

    class Meta:
        table = "watch_lease"
