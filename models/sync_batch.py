"""Rows of another database that were read and are still to be taken in."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class SyncBatch(ReadOnly):
    """Its key is the import and the number together."""

    import_id = fields.BigIntField(primary_key=True)
    number = fields.BigIntField()
    rows = fields.BinaryField()

    class Meta:
        table = "sync_batch"
