"""Engagement of a contact: its level, how it came about, and the levels it had before."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.enums.contacts import EngagementLevel
from schema.projection.made import column, table

# Of contact `c`. Who was never sent anything that counts has no row.
OF_CONTACT = """(
    SELECT
        c.engagement_level, c.previous_engagement_level, coalesce(en.since, c.created_at) AS since,
        coalesce(en.delivered, 0) AS delivered, coalesce(en.engaged, 0) AS engaged, en.computed_at
    FROM (VALUES (c.id)) AS w (id)
    LEFT JOIN engagement en ON en.contact_id = w.id
) en WHERE TRUE"""
HISTORY = """(
    SELECT eh.id, eh.level, coalesce(eh.since, c.created_at) AS since, eh.until
    FROM engagement_change eh
    WHERE eh.contact_id = c.id
    UNION ALL
    SELECT NULL, c.engagement_level,
           coalesce((SELECT en.since FROM engagement en WHERE en.contact_id = c.id), c.created_at), NULL
) eh WHERE TRUE"""


@strawberry.type(description="How much of what it was sent a contact opens or clicks.")
@table("", "en")
class Engagement:
    level: EngagementLevel = column("en.engagement_level")
    since: datetime = column("en.since", "When it came to this level.")
    previous_level: EngagementLevel = column("en.previous_engagement_level", "The level before that.")
    delivered: int = column("en.delivered", "Marketing e-mails of the window that did not bounce.")
    engaged: int = column("en.engaged", "Those of them that it opened or clicked.")
    computed_at: datetime | None = column("en.computed_at", "Null if nothing was ever sent to it.")


@strawberry.type(description="A time during which a contact had one level of engagement.")
@table("", "eh")
class EngagementPeriod:
    level: EngagementLevel = column("eh.level")
    from_: datetime = column("eh.since", name="from")
    to: datetime | None = column("eh.until", "Null of the present level.")
