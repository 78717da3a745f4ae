"""A webhook: another system that hears what happens to contacts, and what it was told."""

from __future__ import annotations

from datetime import datetime

import strawberry

from kit.sql import Sql
from schema.enums.activity import WebhookKind, WebhookPause
from schema.enums.mail import DeliveryStatus
from schema.node import Connection, Node, global_id
from schema.projection.made import column, connected, table
from schema.types.delivery import Delivery
from services.caller import Role

_FILTERS = {"status": lambda given: Sql("dv.status = {status}::text", status=given)}


@strawberry.type(description="Another system that is told facts, by signed POSTs. Its secret was shown once.")
@table("webhook", "wh", "webhook", reader=Role.ADMIN)
class Webhook(Node):
    id: strawberry.ID = global_id("webhook", "wh")
    url: str = column("wh.url")
    kinds: list[WebhookKind] = column("to_jsonb(wh.kinds)", "What it is told.")
    description: str | None = column("wh.description")
    active: bool = column("wh.paused_at IS NULL", "False: nothing is collected for it, and nothing sent.")
    paused_at: datetime | None = column("wh.paused_at")
    paused_for: WebhookPause | None = column("wh.paused_for")
    failing_since: datetime | None = column("wh.failing_since", "Since then nothing has arrived there.")
    rests_until: datetime | None = column("wh.rests_until", "It could not be reached, and is left alone until then.")
    created_at: datetime = column("wh.created_at")
    updated_at: datetime = column("wh.updated_at")

    @connected(
        "dv.webhook_id = wh.id",
        alias="dv",
        newest_first=True,
        filters=_FILTERS,
        description="What it was told in the last month, and how it answered; the newest first.",
    )
    def deliveries(
        self,
        status: DeliveryStatus | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Delivery]: ...
