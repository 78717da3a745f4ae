"""Facts for webhooks: what they asked to hear of, made a delivery for each of them, exactly once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from kit import db
from kit.sql import Sql
from services import caller, deliveries
from services.caller import Caller

FACTS_MAX = 1_000  # in one transaction
KEPT = timedelta(days=30)  # what was sent, and can be sent again under the same id
FORGOTTEN_MAX = 5_000

# Who the fact is about, as the receiver is told: as it is when the delivery is made.
_CONTACT = Sql(
    """
    jsonb_build_object(
        'id', 'contact_' || c.id,
        'email', c.email,
        'phone', c.phone,
        'firstName', c.first_name,
        'lastName', c.last_name,
        'fullName', c.full_name,
        'jobTitle', c.job_title,
        'company', (SELECT co.name FROM company co WHERE co.id = c.company_id),
        'lifecycleStage', c.lifecycle_stage,
        'tags', ARRAY(
            SELECT t.name
            FROM contact_tag ct
            JOIN tag t ON t.id = ct.tag_id
            WHERE ct.contact_id = c.id
            ORDER BY lower(t.name)
        ),
        'fields', (
            SELECT coalesce(jsonb_object_agg(f.name, v.value), '{}')
            FROM field_value v
            JOIN field f ON f.id = v.field_id
            WHERE v.contact_id = c.id
        )
    )
    """
)
_HOST = Sql("substring(wh.url FROM '^https?://[^/?#]+')")  # the rest may hold a key, and is read when it is called


async def pass_(now: datetime) -> int:
    """Make deliveries of up to a thousand facts that webhooks are to hear of; how many there were."""
    async with db.transaction():
        taken = await db.rows(_claim())
        if not taken:
            return 0
        by = caller.system(now)
        told = [row for row in taken if row["event_id"] is not None]
        gone = [row for row in taken if row["event_id"] is None]
        if told:
            pairs = Sql(
                "SELECT * FROM unnest({webhooks}::bigint[], {events}::bigint[]) AS w (webhook_id, event_id)",
                webhooks=[row["webhook_id"] for row in told],
                events=[row["event_id"] for row in told],
            )
            await queue(pairs, by=by)
        if gone:
            await deliveries.queue(_deletions(gone), by=by)
    return len(taken)


async def queue(pairs: Sql, *, by: Caller) -> int:
    """Queue a delivery for each `webhook_id, event_id` that has none; how many are new."""
    return len(await deliveries.queue(_told(pairs), by=by))


def key(webhook_id: str, event_id: str) -> Sql:
    """The unique name of telling one webhook one fact, from expressions."""
    return Sql("'webhook:' || {webhook} || ':event:' || {event}", webhook=Sql(webhook_id), event=Sql(event_id))


def _claim() -> Sql:
    return Sql(
        """
        DELETE FROM webhook_fact wk
        WHERE wk.id = ANY(ARRAY(
            SELECT wk.id
            FROM webhook_fact wk
            ORDER BY wk.id
            LIMIT {count_max}::integer
            FOR UPDATE SKIP LOCKED
        ))
        RETURNING wk.id, wk.webhook_id, wk.event_id, wk.erased_id, wk.at
        """,
        count_max=FACTS_MAX,
    )


def _told(pairs: Sql) -> Sql:
    return Sql(
        """
        SELECT
            {key} AS key,
            e.contact_id,
            'WEBHOOK' AS channel,
            'HOOK' AS origin,
            {alone},
            jsonb_build_object(
                'webhookId', wh.id,
                'url', {host},
                'body', jsonb_build_object(
                    'id', 'event_' || e.id,
                    'kind', e.kind,
                    'at', e.at,
                    'recordedAt', e.recorded_at,
                    'actor', e.actor,
                    'contact', {contact},
                    'data', coalesce(e.data, '{}')
                )
            ) AS content
        FROM ({pairs}) AS w
        JOIN webhook wh ON wh.id = w.webhook_id
        JOIN event e ON e.id = w.event_id
        JOIN contact c ON c.id = e.contact_id
        ORDER BY e.id, wh.id
        """,
        key=key("wh.id", "e.id"),
        alone=deliveries.ALONE,
        host=_HOST,
        contact=_CONTACT,
        pairs=pairs,
    )


def _deletions(rows: Sequence[Mapping[str, Any]]) -> Sql:
    """Who was deleted is told by the number alone; of who was merged, also into whom."""
    return Sql(
        """
        SELECT
            'webhook:' || wh.id || ':deletion:' || w.id AS key,
            NULL::bigint AS contact_id,
            'WEBHOOK' AS channel,
            'HOOK' AS origin,
            {alone},
            jsonb_build_object(
                'webhookId', wh.id,
                'url', {host},
                'body', jsonb_build_object(
                    'id', 'deletion_' || w.id,
                    'kind', 'CONTACT_DELETED',
                    'at', w.at,
                    'recordedAt', w.at,
                    'contact', jsonb_build_object('id', 'contact_' || w.erased_id),
                    'data', jsonb_strip_nulls(jsonb_build_object(
                        'mergedInto', (
                            SELECT 'contact_' || cm.kept_id
                            FROM contact_merge cm
                            WHERE cm.gone_id = w.erased_id
                              AND cm.undone_at IS NULL
                            ORDER BY cm.id DESC
                            LIMIT 1
                        )
                    ))
                )
            ) AS content
        FROM unnest({ids}::bigint[], {webhooks}::bigint[], {erased}::bigint[], {at}::timestamptz[])
            AS w (id, webhook_id, erased_id, at)
        JOIN webhook wh ON wh.id = w.webhook_id
        ORDER BY w.id
        """,
        alone=deliveries.ALONE,
        host=_HOST,
        ids=[row["id"] for row in rows],
        webhooks=[row["webhook_id"] for row in rows],
        erased=[row["erased_id"] for row in rows],
        at=[row["at"] for row in rows],
    )


async def forget(now: datetime) -> None:
    """Forget what webhooks were told a month ago."""
    await db.execute(
        Sql(
            """
            DELETE FROM delivery dv
            WHERE dv.id IN (
                SELECT old.id
                FROM delivery old
                WHERE old.webhook_id IS NOT NULL
                  AND old.finished_at < {since}::timestamptz
                ORDER BY old.finished_at
                LIMIT {most}::integer
            )
            """,
            since=now - KEPT,
            most=FORGOTTEN_MAX,
        )
    )
