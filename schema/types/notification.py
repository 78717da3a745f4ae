"""A notification: something that one user is told."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums.team import NotificationKind
from schema.node import Node, global_id
from schema.projection.made import column, one, table
from schema.scalars import JSON
from services import notifications

if TYPE_CHECKING:
    from schema.types.contact import Contact


@strawberry.type(description="Something that one user is told. Only that user finds it.")
@table("notification", "nt", "notification", visible=notifications.visible)
class Notification(Node):
    id: strawberry.ID = global_id("notification", "nt")
    kind: NotificationKind = column("nt.kind")
    text: str = column(notifications.TEXT, "What it says, as a sentence.")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] | None = one(
        "contact c WHERE c.id = nt.contact_id", "Whom it is about."
    )
    subject_id: strawberry.ID | None = column(
        """
        CASE nt.kind
            WHEN 'FORM_SUBMITTED' THEN 'form_'
            WHEN 'WEBHOOK_PAUSED' THEN 'webhook_'
            WHEN 'JOB_FINISHED' THEN 'job_'
            WHEN 'CAMPAIGN_WARNING' THEN 'campaign_'
            WHEN 'CAMPAIGN_PAUSED' THEN 'campaign_'
            WHEN 'AUTOMATION_WARNING' THEN 'automation_'
            WHEN 'AUTOMATION_PAUSED' THEN 'automation_'
            ELSE 'task_'
        END || nt.subject
        """,
        "The task, form, webhook, job, campaign or automation; it may be gone by now.",
    )
    data: JSON = column("nt.data")
    created_at: datetime = column("nt.created_at")
    read_at: datetime | None = column("nt.read_at", "Null until it is marked as read.")
