"""A contact that has a tag."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly
from models.tag import Tag


class ContactTag(ReadOnly):
    """Its key is the contact and the tag together."""

    contact_id = fields.BigIntField(primary_key=True)
    tag: fields.ForeignKeyRelation[Tag] = fields.ForeignKeyField("models.Tag", related_name="bearers")
    added_at = fields.DatetimeField()

    class Meta:
        table = "contact_tag"
