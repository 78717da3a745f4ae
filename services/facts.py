"""Facts: what happened to contacts, kept for ever, shown as their activity and answered by triggers."""

from __future__ import annotations

from kit.sql import Sql
from services.caller import Caller


def recorded(source: Sql, *, by: Caller) -> Sql:
    """The end of a statement's WITH list that writes the facts of the change made before it.

    `source` selects `contact_id, kind, subject, data` from the CTEs of the change; what it does not select did not
    happen, so no-ops must not be in it. The facts' ids ascend in the order of `source`. Ring `dispatch` afterwards.
    """
    return Sql(
        """
        fact AS (
            INSERT INTO event (contact_id, kind, at, recorded_at, subject, actor, data)
            SELECT s.contact_id, s.kind, {now}::timestamptz, {now}::timestamptz, s.subject, {actor}::text, s.data
            FROM ({source}) AS s (contact_id, kind, subject, data)
            RETURNING id
        ),
        pending AS (
            INSERT INTO pending_event (event_id)
            SELECT fact.id FROM fact
        )
        """,
        source=source,
        now=by.now,
        actor=by.actor,
    )
