"""An import: which file it reads, how far it has come, and what came of its rows."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.job import Job
from models.user_account import UserAccount


class ImportJob(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    fingerprint = fields.BinaryField()
    targets: fields.JSONField[list[list[str]]] = fields.JSONField()
    rows_total = fields.BigIntField()
    rows_done = fields.BigIntField()
    created = fields.BigIntField()
    updated = fields.BigIntField()
    unchanged = fields.BigIntField()
    duplicates = fields.BigIntField()
    refused = fields.BigIntField()
    warned = fields.BigIntField()
    not_reactivated = fields.BigIntField()
    started_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)
    job: fields.ForeignKeyNullableRelation[Job] = fields.ForeignKeyField("models.Job", related_name=False, null=True)
    user: fields.ForeignKeyNullableRelation[UserAccount] = fields.ForeignKeyField(
        "models.UserAccount", related_name=False, null=True
    )
    events_from = fields.BigIntField(null=True)
    events_to = fields.BigIntField(null=True)
    undo: fields.ForeignKeyNullableRelation[Job] = fields.ForeignKeyField("models.Job", related_name=False, null=True)
    undone_at = fields.DatetimeField(null=True)
    sync_id = fields.BigIntField(null=True)

    class Meta:
        table = "import_job"
