"""How many e-mails of an automation were sent, opened and clicked; the rows are added up."""

from __future__ import annotations

from tortoise import fields

from models.read_only import ReadOnly


class EmailCount(ReadOnly):
    """It has no key."""

    automation_id = fields.BigIntField(primary_key=True)
    step_id = fields.BigIntField(null=True)
    sends = fields.BigIntField()
    opens = fields.BigIntField()
    clicks = fields.BigIntField()

    class Meta:
        table = "email_count"
