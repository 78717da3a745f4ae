"""Campaigns at work: whose time has come finds out to whom it goes, and its mails are queued some at a time.

How far one is stands in the database with what it did, so that whoever is killed loses and doubles nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kit import db, log, sql
from kit.sql import Sql
from services import caller as callers
from services import campaign_audience, campaign_notices, campaigns, deliveries, mail_consent
from services.campaign_notices import COMPLAINTS_OF

AHEAD_MAX = 3_000  # deliveries of one campaign that wait to be sent: others wait behind so many at most
# It stops by itself (trust M5) when more than this share of its mails bounced hard or was called spam.
BOUNCES_MAX, BOUNCES_OF = 0.05, 500
COMPLAINTS_MAX = 0.003

_log = log.get("campaigns")


async def pass_(now: datetime) -> int:
    """Begin what is due and queue what there is room for; how many contacts were looked at."""
    working = await db.rows(
        Sql(
            """
            SELECT cp.id, cp.fixed_at IS NOT NULL AS fixed
            FROM campaign cp
            WHERE cp.status IN ('SCHEDULED', 'SENDING')
              AND (cp.fixed_at IS NOT NULL OR cp.send_at <= {now}::timestamptz)
            ORDER BY cp.id
            """,
            now=now,
        )
    )
    if not all(row["fixed"] for row in working):
        await campaign_audience.refresh(now)
    handled, failed = 0, None
    for row in working:
        try:
            handled += await (_queue if row["fixed"] else campaign_audience.begin)(row["id"], now)
        except Exception as error:  # one that fails holds up no other
            failed = error
    if failed is not None:
        raise failed
    return handled


async def _queue(campaign_id: int, now: datetime) -> int:
    """Queue the next piece if there is room for it; of how many contacts. Without one the campaign comes to its end.

    The deliveries, the counts and the mark are one transaction, and whoever pauses the campaign waits for its end.
    """
    async with db.transaction():
        row = await db.row(
            Sql(
                """
                SELECT cp.id, cp.message_id, cp.list_ids, cp.recipients, cp.trusted
                FROM campaign cp
                WHERE cp.id = {id}::bigint
                  AND cp.status = 'SENDING'
                FOR NO KEY UPDATE SKIP LOCKED
                """,
                id=campaign_id,
            )
        )
        if row is None:
            return 0
        under_way = await _under_way(campaign_id, now)
        if under_way >= AHEAD_MAX:
            return 0
        if not row["trusted"] and (reason := await _going_wrong(campaign_id, row["recipients"])):
            await campaigns.stop(campaign_id, reason, by=callers.system(now))
            await campaign_notices.paused(campaign_id, reason, now=now)
            _log.warning("campaign_stopped", campaign=campaign_id, reason=reason)
            return 0
        piece = await _take(campaign_id)
        if piece is None:
            if not under_way:
                await _end(campaign_id, now)
            return 0
        await _queue_piece(row, piece["ids"], row["list_ids"] if piece["by_lists"] else [], now)
        return len(piece["ids"])


async def _under_way(campaign_id: int, now: datetime) -> int:
    """Deliveries that are due or being sent. What the server put off is not waited for."""
    return await db.value(
        Sql(
            """
            SELECT count(*)
            FROM (
                SELECT
                FROM delivery dv
                WHERE dv.campaign_id = {id}::bigint
                  AND dv.status IN ('QUEUED', 'SENDING', 'DATA')
                  AND (dv.status <> 'QUEUED' OR dv.due_at <= {now}::timestamptz OR dv.reason IS NULL)
                LIMIT {most}::integer
            ) AS w
            """,
            id=campaign_id,
            now=now,
            most=AHEAD_MAX,
        )
    )


async def _going_wrong(campaign_id: int, recipients: int) -> str | None:
    """Why it had better stop: BOUNCES or COMPLAINTS."""
    row = await db.row(
        Sql(
            """
            SELECT
                count(*) FILTER (WHERE es.bounce = 'HARD') AS bounces,
                count(*) FILTER (WHERE es.complained_at IS NOT NULL) AS complaints
            FROM email_send es
            WHERE es.campaign_id = {id}::bigint
              AND (es.bounce IS NOT NULL OR es.complained_at IS NOT NULL)
            """,
            id=campaign_id,
        )
    )
    assert row is not None
    if row["bounces"] > BOUNCES_MAX * max(recipients, BOUNCES_OF):
        return "BOUNCES"
    if row["complaints"] > COMPLAINTS_MAX * max(recipients, COMPLAINTS_OF):
        return "COMPLAINTS"
    return None


async def _take(campaign_id: int) -> dict[str, Any] | None:
    """The next piece, which is then behind it."""
    return await db.row(
        Sql(
            """
            DELETE FROM campaign_piece cw
            USING (
                SELECT next.by_lists, next.number
                FROM campaign_piece next
                WHERE next.campaign_id = {id}::bigint
                ORDER BY next.by_lists, next.number
                LIMIT 1
            ) AS w
            WHERE cw.campaign_id = {id}::bigint
              AND cw.by_lists = w.by_lists
              AND cw.number = w.number
            RETURNING cw.by_lists, cw.ids
            """,
            id=campaign_id,
        )
    )


async def _queue_piece(row: dict[str, Any], contacts: list[int], lists: list[int], now: datetime) -> None:
    refused = await mail_consent.refused(sql.ids(contacts), "EMAIL", lists)
    rows = Sql(
        """
        SELECT
            'campaign:' || {campaign}::bigint || ':contact:' || c.id AS key,
            c.id AS contact_id,
            NULL::bigint AS run_id,
            NULL::integer AS seq,
            'EMAIL' AS channel,
            'CAMPAIGN' AS origin,
            {message}::bigint AS message_id,
            {campaign}::bigint AS campaign_id,
            NULL::bigint AS automation_id,
            NULL::bigint AS step_id,
            {lists}::bigint[] AS list_ids,
            NULL::jsonb AS content
        FROM contact c
        WHERE c.id = ANY({contacts}::bigint[])
        ORDER BY c.id
        FOR KEY SHARE
        """,
        campaign=row["id"],
        message=row["message_id"],
        lists=lists,
        contacts=[each for each in contacts if each not in refused],
    )
    queued = await deliveries.queue(rows, by=callers.system(now))
    skipped: dict[str, int] = {}
    for reason in refused.values():
        skipped[reason] = skipped.get(reason, 0) + 1
    await db.execute(
        Sql(
            """
            UPDATE campaign cp
            SET recipients = cp.recipients + {queued}::bigint,
                skipped = (
                    SELECT coalesce(jsonb_object_agg(w.reason, w.n), '{}')
                    FROM (
                        SELECT s.key AS reason, sum(s.value::bigint) AS n
                        FROM (
                            SELECT * FROM jsonb_each_text(cp.skipped)
                            UNION ALL
                            SELECT * FROM jsonb_each_text({skipped}::jsonb)
                        ) AS s
                        GROUP BY s.key
                    ) AS w
                )
            WHERE cp.id = {id}::bigint
            """,
            id=row["id"],
            queued=len(queued),
            skipped=db.jsonb(skipped),
        )
    )


async def _end(campaign_id: int, now: datetime) -> None:
    await db.execute(
        Sql(
            """
            UPDATE campaign cp
            SET status = 'SENT',
                ended_at = {now}::timestamptz,
                updated_at = {now}::timestamptz
            WHERE cp.id = {id}::bigint
            """,
            id=campaign_id,
            now=now,
        )
    )
