"""A file that was uploaded, or that a job made for download."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.job import Job
from models.user_account import UserAccount


class StoredFile(Model):
    id = fields.BigIntField(primary_key=True)
    job: fields.ForeignKeyNullableRelation[Job] = fields.ForeignKeyField("models.Job", related_name="files", null=True)
    user: fields.ForeignKeyNullableRelation[UserAccount] = fields.ForeignKeyField(
        "models.UserAccount", related_name=False, null=True
    )
    name = fields.TextField()
    media_type = fields.TextField()
    size = fields.BigIntField()
    chunks = fields.BigIntField()
    complete = fields.BooleanField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "stored_file"
