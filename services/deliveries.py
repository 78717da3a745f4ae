"""Deliveries: what is to leave the house, written with what asks for it and performed afterwards (`attempts`).

Mail and text messages go at most once and are never lost in silence; webhooks go at least once. How, is in
docs/mail.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from kit import bell, config, db
from kit.errors import conflict, not_found
from kit.sql import Sql
from services.caller import Caller

FORGOTTEN_MAX = 5_000  # in one statement
RESENT = ("UNKNOWN", "FAILED")  # by a person alone

# The columns of a row for `queue` behind which is no step, no campaign and no message.
ALONE = Sql(
    """
    NULL::bigint AS run_id,
    NULL::integer AS seq,
    NULL::bigint AS message_id,
    NULL::bigint AS campaign_id,
    NULL::bigint AS automation_id,
    NULL::bigint AS step_id,
    NULL::bigint[] AS list_ids
    """
)


async def queue(rows: Sql, *, by: Caller) -> list[dict[str, Any]]:
    """Queue an effect for each row; `id, key, contact_id` of those that are new.

    `rows` selects `key text` (the unique name of the effect: run:7:3, campaign:4:contact:9), `contact_id, run_id, seq,
    channel` (EMAIL SMS WEBHOOK), `origin` (AUTOMATION CAMPAIGN PERSONAL NOTICE TEST HOOK), `message_id, campaign_id,
    automation_id, step_id, list_ids bigint[], content jsonb`. A key that is there already is left as it is: asked for
    twice is sent once. Consent is for the caller to look at first (`mail_consent`); it is looked at again when it goes.

    `content` is what is of this one alone: `subject text html` instead of a message's, `to` (an address) or `userId`
    instead of the contact, `fromName replyTo`, of a webhook `url body`, and `webhookId` where that is stored.
    """
    queued = await db.rows(
        Sql(
            """
            INSERT INTO delivery (
                key, contact_id, run_id, seq, channel, origin, message_id, campaign_id, automation_id, step_id,
                list_ids, content, webhook_id, due_at, queued_at
            )
            SELECT
                w.key, w.contact_id, w.run_id, w.seq, w.channel, w.origin, w.message_id, w.campaign_id,
                w.automation_id, w.step_id, coalesce(w.list_ids, '{}'), w.content,
                (w.content ->> 'webhookId')::bigint, {now}::timestamptz, {now}::timestamptz
            FROM ({rows}) AS w
            ON CONFLICT (key) DO NOTHING
            RETURNING id, key, contact_id
            """,
            rows=rows,
            now=by.now,
        )
    )
    if queued:
        await bell.ring("deliver")
    return queued


async def resend(delivery_id: int, *, by: Caller) -> None:
    """Send it once more, because a person says so. Refused: NOT_FOUND; NOT_RESENDABLE unless UNKNOWN or FAILED."""
    row = await db.row(
        Sql("SELECT dv.status FROM delivery dv WHERE dv.id = {id}::bigint FOR NO KEY UPDATE", id=delivery_id)
    )
    if row is None:
        raise not_found("delivery", "id")
    if row["status"] not in RESENT:
        message = f"Only what is {' or '.join(RESENT)} can be sent again; this is {row['status']}."
        raise conflict("NOT_RESENDABLE", message, "id")
    await db.execute(
        Sql(
            """
            UPDATE delivery dv
            SET status = 'QUEUED',
                reason = NULL,
                answer = NULL,
                bounce = NULL,
                crashes = 0,
                due_at = {now}::timestamptz,
                queued_at = {now}::timestamptz,
                finished_at = NULL
            WHERE dv.id = {id}::bigint
            """,
            id=delivery_id,
            now=by.now,
        )
    )
    await bell.ring("deliver")


async def forget(now: datetime) -> int:
    """Delete what came to its end so long ago that nobody asks for it any more; how many.

    What was sent stays known to activity, engagement and the counts of automations (`email_send`, `visit_count`). Those
    of campaigns stay: their figures are counted from them.
    """
    before = now - timedelta(days=config.settings().delivery_days)
    gone = 0
    while True:
        found = await db.column(
            Sql(
                """
                DELETE FROM delivery dv
                WHERE dv.id IN (
                    SELECT old.id
                    FROM delivery old
                    WHERE old.queued_at < {before}::timestamptz
                      AND old.finished_at < {before}::timestamptz
                      AND old.campaign_id IS NULL
                      AND NOT old.untold
                    LIMIT {count_max}::integer
                )
                RETURNING dv.id
                """,
                before=before,
                count_max=FORGOTTEN_MAX,
            )
        )
        gone += len(found)
        if len(found) < FORGOTTEN_MAX:
            return gone
