"""Facts: what happened to contacts, kept for ever, shown as their activity and answered by triggers."""

from __future__ import annotations

from kit.sql import Sql
from services.caller import Caller

_COLUMNS = Sql("(contact_id, kind, subject, data)")
_DATED = Sql("(contact_id, kind, subject, data, at)")
_AT = Sql("s.at")


def recorded(source: Sql, *, by: Caller, dated: bool = False) -> Sql:
    """The end of a statement's WITH list that writes the facts of the change made before it.

    `source` selects `contact_id, kind, subject, data` from the CTEs of the change; what it does not select did not
    happen, so no-ops must not be in it. The facts' ids ascend in the order of `source`. Ring `dispatch` afterwards.

    With `dated`, `source` has a fifth column: when it happened, which may be long ago. A fact is always heard of now,
    and what lets contacts into automations looks at that.
    """
    return Sql(
        """
        fact AS (
            INSERT INTO event (contact_id, kind, at, recorded_at, subject, actor, data)
            SELECT s.contact_id, s.kind, {at}::timestamptz, {now}::timestamptz, s.subject, {actor}::text, s.data
            FROM ({source}) AS s {columns}
            RETURNING id
        ),
        pending AS (
            INSERT INTO pending_event (event_id)
            SELECT fact.id FROM fact
        )
        """,
        source=source,
        columns=_DATED if dated else _COLUMNS,
        at=_AT if dated else by.now,
        now=by.now,
        actor=by.actor,
    )
