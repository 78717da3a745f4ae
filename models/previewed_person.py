"""Whom the rows before spoke of, while a job looks a long file through."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class PreviewedPerson(ReadOnly):
    """Its key is the job and the person together."""

    job_id = fields.BigIntField(primary_key=True)
    person = fields.UUIDField()

    class Meta:
        table = "previewed_person"
