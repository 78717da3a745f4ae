"""A contact about whom something changed that a rule can see, and whom nobody has looked at since."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class TouchedContact(Model):
    id = fields.BigIntField(primary_key=True)
    contact_id = fields.BigIntField()

    class Meta:
        table = "touched_contact"
