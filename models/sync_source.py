"""A table or a query of another database that contacts or orders are kept in step with."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class SyncSource(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    kind = fields.TextField()
    host = fields.TextField()
    port = fields.IntField()
    database_name = fields.TextField()
    username = fields.TextField()
    password = fields.BinaryField(null=True)
    tls = fields.TextField()
    brings = fields.TextField()
    table_name = fields.TextField(null=True)
    query = fields.TextField(null=True)
    mapping: fields.JSONField[list[list[str]]] = fields.JSONField()
    external_source = fields.TextField()
    list_id = fields.BigIntField(null=True)
    tags = ArrayField(element_type="text")
    update_existing = fields.BooleanField()
    accepts_marketing = fields.BooleanField()
    region_column = fields.TextField(null=True)
    cursor_column = fields.TextField(null=True)
    overlap = fields.IntField()
    mark: fields.Field[Any] = fields.JSONField(null=True)
    next_mark: fields.Field[Any] = fields.JSONField(null=True)
    schedule = fields.TextField(null=True)
    timezone = fields.TextField()
    next_run_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "sync_source"
