"""Archived automations: who is still inside is brought to the end, some thousands in one transaction."""

from __future__ import annotations

from datetime import datetime

from kit import db
from kit.sql import Sql
from services import caller
from services.caller import Caller
from workflows import entry

RUNS_MAX = 5_000  # in one transaction
REASON = "AUTOMATION_ARCHIVED"


async def end_some(automation_id: int, *, by: Caller) -> int:
    """End the oldest active runs of an archived automation; how many."""
    oldest = Sql(
        """
        r.id IN (
            SELECT z.id
            FROM run z
            WHERE z.automation_id = {id}::bigint
              AND z.ended_at IS NULL
            ORDER BY z.id
            LIMIT {count_max}::integer
        )
        """,
        id=automation_id,
        count_max=RUNS_MAX,
    )
    return len(await entry.end_where(oldest, by=by, reason=REASON, visit_reason=REASON))


async def pass_(now: datetime) -> int:
    """End what is left in one archived automation; how many runs, 0 where nobody is left anywhere."""
    left = await db.value(
        Sql(
            """
            SELECT a.id
            FROM automation a
            WHERE a.status = 'ARCHIVED'
              AND EXISTS (SELECT FROM run r WHERE r.automation_id = a.id AND r.ended_at IS NULL)
            ORDER BY a.id
            LIMIT 1
            """
        )
    )
    return 0 if left is None else await end_some(left, by=caller.system(now))
