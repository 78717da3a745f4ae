"""A contact that meets a rule which is watched."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class WatchMember(ReadOnly):
    """Its key is the watch and the contact together."""

    watch_id = fields.BigIntField(primary_key=True)
    contact_id = fields.BigIntField()

    class Meta:
        table = "watch_member"
