"""SMART lists: whoever meets the rule of one is a member of it, and nobody else is (HS2)."""

from __future__ import annotations

from kit import bell, db
from kit.sql import Sql
from services import facts
from services.caller import Caller
from services.watcher import Watcher


class ListWatcher(Watcher):
    """Memberships follow the members. Whoever unsubscribed or bounced stays so: a rule brings nobody back."""

    retroactive = True

    def wanted(self) -> Sql:
        return Sql("SELECT l.id AS subject_id, l.condition AS rule FROM contact_list l WHERE l.kind = 'SMART'")

    async def looked(self, contacts: Sql, *, by: Caller) -> None:
        """All memberships of these contacts on SMART lists are made what they must be, also after a merge."""
        made = await db.value(
            Sql(
                """
                WITH wanted AS MATERIALIZED (
                    SELECT wt.subject_id AS list_id, wm.contact_id
                    FROM watch_member wm
                    JOIN watch wt ON wt.id = wm.watch_id
                    WHERE wt.kind = 'list'
                      AND wt.ended_at IS NULL
                      AND wm.contact_id IN (SELECT s.id FROM ({contacts}) AS s)
                ),
                gone AS (
                    DELETE FROM membership m
                    USING contact_list l
                    WHERE l.id = m.list_id
                      AND l.kind = 'SMART'
                      AND m.status IN ('ACTIVE', 'UNCONFIRMED')
                      AND m.contact_id IN (SELECT s.id FROM ({contacts}) AS s)
                      AND NOT EXISTS (
                          SELECT FROM wanted WHERE wanted.list_id = m.list_id AND wanted.contact_id = m.contact_id
                      )
                    RETURNING m.contact_id, m.list_id
                ),
                made AS (
                    INSERT INTO membership (
                        contact_id, list_id, status, source, source_detail, subscribed_at, created_at, updated_at
                    )
                    SELECT
                        wanted.contact_id, wanted.list_id, 'ACTIVE', 'AUTOMATION', 'RULE',
                        {now}::timestamptz, {now}::timestamptz, {now}::timestamptz
                    FROM wanted
                    WHERE NOT EXISTS (
                        SELECT FROM membership m WHERE m.list_id = wanted.list_id AND m.contact_id = wanted.contact_id
                    )
                    ORDER BY wanted.contact_id, wanted.list_id
                    ON CONFLICT DO NOTHING
                    RETURNING contact_id, list_id, status
                ),
                {facts}
                SELECT count(*) FROM fact
                """,
                contacts=contacts,
                now=by.now,
                facts=facts.recorded(
                    Sql(
                        """
                        SELECT w.contact_id, w.kind, l.id, jsonb_build_object('list', l.name, 'source', 'RULE')
                        FROM (
                            SELECT made.contact_id, 'LIST_SUBSCRIBED' AS kind, made.list_id
                            FROM made
                            WHERE made.status = 'ACTIVE'
                            UNION ALL
                            SELECT gone.contact_id, 'LIST_LEFT', gone.list_id FROM gone
                        ) AS w
                        JOIN contact_list l ON l.id = w.list_id
                        ORDER BY w.contact_id, l.id
                        """
                    ),
                    by=by,
                ),
            )
        )
        if made:
            await bell.ring("dispatch")

    async def entered(self, pairs: Sql, *, by: Caller) -> None:
        """See `looked`."""

    async def left(self, pairs: Sql, *, by: Caller) -> None:
        """See `looked`."""
