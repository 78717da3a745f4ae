"""Who changed what; append only, without personal values."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField

from models.read_only import ReadOnly


class AuditEntry(ReadOnly):
    """Written by SQL alone."""

    id = fields.BigIntField(primary_key=True)
    at = fields.DatetimeField()
    actor = fields.TextField()
    user_id = fields.BigIntField(null=True)
    operation = fields.TextField()
    subjects = ArrayField(element_type="text")
    inputs = ArrayField(element_type="text")
    outcome = fields.TextField()
    codes = ArrayField(element_type="text")
    request_id = fields.TextField(null=True)

    class Meta:
        table = "audit_entry"
