"""The way that a contact takes at a fork by shares."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class SplitPath(ReadOnly):
    """Its key is the contact, the automation and the step together."""

    contact_id = fields.BigIntField(primary_key=True)
    automation_id = fields.BigIntField()
    step_key = fields.TextField()
    path = fields.TextField()

    class Meta:
        table = "split_path"
