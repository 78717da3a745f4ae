"""What an automation would have sent."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.projection.made import column, one, table
from schema.scalars import JSON

if TYPE_CHECKING:
    from schema.types.contact import Contact


@strawberry.type(description="Something that would leave the house.")
@table("delivery", "dv")
class SimulatedDelivery:
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] | None = one(
        "contact c WHERE c.id = dv.contact_id"
    )
    step_id: str | None = column("(SELECT s.key FROM automation_step s WHERE s.id = dv.step_id)")
    channel: str = column("dv.channel", "EMAIL, SMS or WEBHOOK.")
    message: str | None = column(
        "(SELECT coalesce(me.name, me.subject, me.text) FROM message me WHERE me.id = dv.message_id)",
        "What it is called, or how it begins.",
    )
    content: JSON | None = column("dv.content", "What is of this one alone.")
    at: datetime = column("dv.queued_at")
