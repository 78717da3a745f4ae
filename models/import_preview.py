"""What would come of an import that a job looks through."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.models import Model

from models.job import Job


class ImportPreview(Model):
    job: fields.OneToOneRelation[Job] = fields.OneToOneField("models.Job", related_name=False, primary_key=True)
    rows = fields.BigIntField()
    rows_done = fields.BigIntField()
    created = fields.BigIntField()
    existing = fields.BigIntField()
    unsubscribed = fields.BigIntField()
    bad = fields.BigIntField()
    duplicates = fields.BigIntField()
    problems: fields.JSONField[list[dict[str, Any]]] = fields.JSONField()

    class Meta:
        table = "import_preview"
