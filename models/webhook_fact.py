"""A fact that a webhook wants to hear of, and that is not a delivery yet."""

from __future__ import annotations

from tortoise import fields
from tortoise.models import Model

from models.webhook import Webhook


class WebhookFact(Model):
    id = fields.BigIntField(primary_key=True)
    webhook: fields.ForeignKeyRelation[Webhook] = fields.ForeignKeyField("models.Webhook", related_name=False)
    event_id = fields.BigIntField(null=True)
    erased_id = fields.BigIntField(null=True)
    at = fields.DatetimeField(null=True)

    class Meta:
        table = "webhook_fact"
