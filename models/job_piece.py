"""A part of the set of a job that is still before it."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField

from models.read_only import ReadOnly


class JobPiece(ReadOnly):
    """Its key is the job and the number together."""

    job_id = fields.BigIntField(primary_key=True)
    number = fields.BigIntField()
    ids = ArrayField(element_type="bigint")

    class Meta:
        table = "job_piece"
