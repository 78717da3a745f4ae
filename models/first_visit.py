"""From where a contact came: the first page that it is known to have looked at."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class FirstVisit(ReadOnly):
    """Kept by SQL alone."""

    contact_id = fields.BigIntField(primary_key=True)
    at = fields.DatetimeField()
    url = fields.TextField()
    referrer = fields.TextField(null=True)
    utm_source = fields.TextField(null=True)
    utm_medium = fields.TextField(null=True)
    utm_campaign = fields.TextField(null=True)
    utm_term = fields.TextField(null=True)
    utm_content = fields.TextField(null=True)

    class Meta:
        table = "first_visit"
