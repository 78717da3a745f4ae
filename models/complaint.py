"""An automation of which an e-mail was called spam, and that nobody has looked at since."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model


class Complaint(Model):
    id = fields.BigIntField(primary_key=True)
    automation_id = fields.BigIntField()

    class Meta:
        table = "complaint"
