"""The contact came to another level of engagement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.sql import Sql
from segments.conditions.engagement import EngagementLevel
from workflows.trigger import Trigger


@dataclass(frozen=True)
class EngagementLevelChanged(Trigger):
    """From one level to another, by what it did or by time; `from` and `to` say which count, without them any."""

    from_: EngagementLevel | None = None
    to: EngagementLevel | None = None

    examples: ClassVar = ({"to": "MOST"}, {"from": "MOST", "to": "LEAST"}, {})
    fact: ClassVar[str] = "ENGAGEMENT_LEVEL_CHANGED"
    label: ClassVar[Sql] = Sql("'Engagement became ' || replace(lower(e.data ->> 'to'), '_', ' ')")
    match: ClassVar[Sql] = Sql(
        """
        coalesce(g.parameters -> 'engagementLevelChanged' ->> 'from', e.data ->> 'from') = e.data ->> 'from'
        AND coalesce(g.parameters -> 'engagementLevelChanged' ->> 'to', e.data ->> 'to') = e.data ->> 'to'
        """
    )
