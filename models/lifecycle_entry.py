"""When a contact last came into a lifecycle stage."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class LifecycleEntry(ReadOnly):
    """Its key is the contact and the stage together."""

    contact_id = fields.BigIntField(primary_key=True)
    stage = fields.TextField()
    entered_at = fields.DatetimeField()

    class Meta:
        table = "lifecycle_entry"
