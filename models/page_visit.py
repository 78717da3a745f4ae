"""A page of a website that somebody looked at."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class PageVisit(Model):
    id = fields.BigIntField(primary_key=True)
    site_id = fields.BigIntField(null=True)
    visitor_id = fields.BigIntField(null=True)
    contact_id = fields.BigIntField(null=True)
    at = fields.DatetimeField()
    url = fields.TextField()
    path = fields.TextField()
    query = fields.TextField(null=True)
    title = fields.TextField(null=True)
    referrer = fields.TextField(null=True)
    utm_source = fields.TextField(null=True)
    utm_medium = fields.TextField(null=True)
    utm_campaign = fields.TextField(null=True)
    utm_term = fields.TextField(null=True)
    utm_content = fields.TextField(null=True)
    device = fields.TextField(null=True)
    browser = fields.TextField(null=True)
    country = fields.TextField(null=True)
    region = fields.TextField(null=True)
    city = fields.TextField(null=True)
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "page_visit"
