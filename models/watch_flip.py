"""When time alone may change what a contact is a member of."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class WatchFlip(ReadOnly):
    """Kept by SQL alone."""

    contact_id = fields.BigIntField(primary_key=True)
    flips_at = fields.DatetimeField()

    class Meta:
        table = "watch_flip"
