"""Segments that automations wait at, or that somebody looks at live."""

from __future__ import annotations

from kit import bell, db
from kit.sql import Sql
from services import facts
from services.caller import Caller
from services.watcher import Watcher

CHANGES_MAX = 400  # of one segment in one notice; more are told as `*`


class SegmentWatcher(Watcher):
    """Those with a live trigger of an active automation, or with a lease. Coming and going are facts."""

    def wanted(self) -> Sql:
        return Sql(
            """
            SELECT sg.id AS subject_id, sg.condition AS rule
            FROM segment sg
            WHERE sg.id IN (
                SELECT g.subject
                FROM trigger g
                JOIN automation a ON a.id = g.automation_id
                WHERE g.kind IN ('SEGMENT_ENTERED', 'SEGMENT_LEFT')
                  AND g.removed_at IS NULL
                  AND a.status = 'ACTIVE'
                UNION ALL
                SELECT wl.segment_id
                FROM watch_lease wl
                WHERE wl.until > clock_timestamp()
            )
            """
        )

    async def entered(self, pairs: Sql, *, by: Caller) -> None:
        await _tell(pairs, "SEGMENT_ENTERED", "+", by)

    async def left(self, pairs: Sql, *, by: Caller) -> None:
        await _tell(pairs, "SEGMENT_LEFT", "-", by)


async def _tell(pairs: Sql, kind: str, sign: str, by: Caller) -> None:
    """As facts, and to whoever listens: `12:+,3,4` says that contacts 3 and 4 came into segment 12."""
    await db.execute(
        Sql(
            """
            WITH changed AS MATERIALIZED (SELECT p.subject_id, p.contact_id FROM ({pairs}) AS p),
            {facts}
            SELECT pg_notify(
                'segment_changed',
                heard.subject_id || ':' || {sign}::text || ',' ||
                    CASE WHEN heard.n > {most}::integer THEN '*' ELSE heard.contacts END
            )
            FROM (
                SELECT changed.subject_id, count(*) AS n, string_agg(changed.contact_id::text, ',') AS contacts
                FROM changed
                GROUP BY changed.subject_id
            ) AS heard
            """,
            pairs=pairs,
            sign=sign,
            most=CHANGES_MAX,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT changed.contact_id, {kind}::text, sg.id, jsonb_build_object('segment', sg.name)
                    FROM changed
                    JOIN segment sg ON sg.id = changed.subject_id
                    ORDER BY changed.contact_id, sg.id
                    """,
                    kind=kind,
                ),
                by=by,
            ),
        )
    )
    await bell.ring("dispatch")
