"""A fork by shares, and how many contacts took each of its paths."""

from __future__ import annotations

from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField

from models.read_only import ReadOnly


class Split(ReadOnly):
    """Its key is the automation and the step together."""

    automation_id = fields.BigIntField(primary_key=True)
    step_key = fields.TextField()
    paths: Any = ArrayField("text")
    counts: Any = ArrayField("bigint")
    winner = fields.TextField(null=True)

    class Meta:
        table = "split"
