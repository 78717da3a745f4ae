"""A row that an import could not take, or took without one of its values; no value is kept here."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.import_job import ImportJob


class ImportProblem(Model):
    id = fields.BigIntField(primary_key=True)
    job: fields.ForeignKeyRelation[ImportJob] = fields.ForeignKeyField("models.ImportJob", related_name="problems")
    line = fields.BigIntField()
    severity = fields.TextField()
    column_name = fields.TextField(null=True)
    code = fields.TextField()
    message = fields.TextField()

    class Meta:
        table = "import_problem"
