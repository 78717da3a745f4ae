"""When a contact came into each stage."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.enums.contacts import LifecycleStage
from schema.projection.made import column, table

# Of contact `c`. Who has been a subscriber from the beginning has no row for it until it moves on.
ENTERED = """(
    SELECT le.stage, le.entered_at
    FROM lifecycle_entry le
    WHERE le.contact_id = c.id
    UNION ALL
    SELECT c.lifecycle_stage, c.created_at
    WHERE NOT EXISTS (SELECT FROM lifecycle_entry le WHERE le.contact_id = c.id AND le.stage = c.lifecycle_stage)
) le WHERE TRUE"""


@strawberry.type(description="A stage that a contact has been in, or is in.")
@table("", "le")
class LifecycleDate:
    stage: LifecycleStage = column("le.stage")
    entered_at: datetime = column("le.entered_at", "The latest time that it came into the stage.")
