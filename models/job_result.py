"""A contact to whom a job could not do something, and why."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.contact import Contact
from models.job import Job


class JobResult(Model):
    id = fields.BigIntField(primary_key=True)
    job: fields.ForeignKeyRelation[Job] = fields.ForeignKeyField("models.Job", related_name="results")
    contact: fields.ForeignKeyNullableRelation[Contact] = fields.ForeignKeyField(
        "models.Contact", related_name=False, null=True
    )
    unknown_id = fields.BigIntField(null=True)
    action = fields.TextField()
    code = fields.TextField()

    class Meta:
        table = "job_result"
