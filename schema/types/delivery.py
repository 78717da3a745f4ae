"""A delivery: one message to one contact, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums.activity import WebhookKind
from schema.enums.mail import DeliveryChannel, DeliveryOrigin, DeliveryStatus
from schema.node import Node, global_id
from schema.projection.made import column, one, table
from schema.types.message import Message

if TYPE_CHECKING:
    from schema.types.automation import Automation
    from schema.types.campaign import Campaign
    from schema.types.contact import Contact
    from schema.types.run import AutomationRun


@strawberry.type(description="One message to one contact: what leaves the house, and what became of it.")
@table("delivery", "dv", "delivery")
class Delivery(Node):
    id: strawberry.ID = global_id("delivery", "dv")
    channel: DeliveryChannel = column("dv.channel")
    origin: DeliveryOrigin = column("dv.origin")
    status: DeliveryStatus = column("dv.status")
    reason: str | None = column(
        "dv.reason", "A code: why it was suppressed or failed, or why it waits: NO_EMAIL, REFUSED 451, CRASHED …"
    )
    answer: str | None = column("dv.answer", "What the other server said, without addresses.")
    bounced: bool = column("dv.bounce IS NOT NULL", "Whether the address did not take it, at once or later.")
    provider_id: str | None = column("dv.provider_id", "The Message-ID, or what a gateway calls it.")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] | None = one(
        "contact c WHERE c.id = dv.contact_id", "Whom it goes to; of a notice, whom it is about."
    )
    message: Message | None = one("message me WHERE me.id = dv.message_id")
    campaign: Annotated[Campaign, strawberry.lazy("schema.types.campaign")] | None = one(
        "campaign cp WHERE cp.id = dv.campaign_id"
    )
    subject: str | None = column(
        "coalesce(dv.content ->> 'subject', (SELECT me.subject FROM message me WHERE me.id = dv.message_id))",
        "As it was written, its gaps not filled in.",
    )
    automation: Annotated[Automation, strawberry.lazy("schema.types.automation")] | None = one(
        "automation a WHERE a.id = dv.automation_id"
    )
    run: Annotated[AutomationRun, strawberry.lazy("schema.types.run")] | None = one("run r WHERE r.id = dv.run_id")
    fact: WebhookKind | None = column("dv.content #>> '{body,kind}'", "What a webhook is told.")
    fact_id: strawberry.ID | None = column("dv.content #>> '{body,id}'", "The id that stands in what it is told.")
    attempts: int = column("dv.attempt", "How often it was taken up.")
    next_attempt_at: datetime | None = column(
        "CASE WHEN dv.status = 'QUEUED' AND isfinite(dv.due_at) THEN dv.due_at END",
        "Null: none, or not before its campaign goes on.",
    )
    queued_at: datetime = column("dv.queued_at")
    finished_at: datetime | None = column("dv.finished_at", "When it was sent, or given up.")
