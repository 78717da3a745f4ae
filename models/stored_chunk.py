"""A part of the content of a file."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class StoredChunk(ReadOnly):
    """Its key is the file and the number together."""

    file_id = fields.BigIntField(primary_key=True)
    number = fields.BigIntField()
    content = fields.BinaryField()

    class Meta:
        table = "stored_chunk"
