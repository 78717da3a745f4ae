"""Automations that stopped by themselves: who is inside waits, and what is to be sent is held, until a person acts."""

from __future__ import annotations

from kit import bell, db
from kit.sql import Sql
from services.caller import Caller

# The e-mails of one automation to contacts that have not gone out. Looked for among all that is to be sent, which is
# less than what an automation has ever sent.
_HELD = Sql(
    """
    dv.automation_id = {id}::bigint
    AND dv.channel = 'EMAIL'
    AND dv.origin = 'AUTOMATION'
    AND dv.status = 'QUEUED'
    AND dv.due_at IS NOT NULL
    """
)


async def stop(automation_id: int, reason: str) -> None:
    """Note why it stands still, and hold its e-mails. For who holds the automation and has switched it off.

    What a worker has in its hands is looked at once more before it goes, and comes back (services/departure.py).
    """
    await db.execute(
        Sql(
            "UPDATE automation a SET stopped_by = {reason}::text WHERE a.id = {id}::bigint",
            reason=reason,
            id=automation_id,
        )
    )
    await db.execute(Sql("UPDATE delivery dv SET due_at = 'infinity' WHERE {held}", held=_HELD.with_(id=automation_id)))


async def release(automation_id: int, *, by: Caller) -> None:
    """What was held is due now, and has a day again to go out. For who holds the automation."""
    await db.execute(
        Sql(
            """
            UPDATE delivery dv
            SET due_at = {now}::timestamptz,
                queued_at = {now}::timestamptz
            WHERE {held}
            """,
            now=by.now,
            held=_HELD.with_(id=automation_id),
        )
    )
    await bell.ring("deliver")
