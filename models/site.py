"""A website or an app that tells what contacts do there."""

from __future__ import annotations

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class Site(Model):
    id = fields.BigIntField(primary_key=True)
    name = fields.TextField()
    key = fields.TextField()
    origins = ArrayField("text")
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "site"
