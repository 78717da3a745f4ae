"""Deliveries: what is to leave the house, written with what asks for it and performed afterwards.

Mail and text messages go at most once and are never lost in silence; webhooks go at least once. How, is in
docs/mail.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kit import bell, config, db
from kit.errors import conflict, not_found
from kit.sql import Sql
from services.caller import Caller

LEASE = timedelta(seconds=30)
CRASHES_MAX = 3  # claims from which nobody came back, before it is given up
FORGOTTEN_MAX = 5_000  # in one statement
GIVE_UP_AFTER = timedelta(hours=24)  # of refusals that may pass
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


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process may perform, as long as nobody has claimed it since (`attempt`)."""

    id: int
    attempt: int
    channel: str
    origin: str
    contact_id: int | None
    message_id: int | None
    content: str | None  # JSON
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one attempt: `status` SENT, FAILED, UNKNOWN, or QUEUED to try again at `due_at`."""

    claimed: Claimed
    status: str
    reason: str | None = None
    answer: str | None = None
    provider_id: str | None = None
    due_at: datetime | None = None
    bounce: str | None = None  # HARD or SOFT: the address is at fault


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


async def claim(channels: Sequence[str], now: datetime, *, count_max: int) -> tuple[list[Claimed], int]:
    """Take up to so many due deliveries of one channel after the other; they, and how many were settled instead.

    Committed at once, so that an attempt counts even if the process dies. Settled are those whose sender never came
    back: behind the point of no return they are UNKNOWN, before it they are tried again, three times.
    """
    rows = await db.rows(
        Sql(
            """
            WITH due AS (
                SELECT dv.id
                FROM delivery dv
                WHERE dv.channel = ANY({channels}::text[])
                  AND dv.due_at <= {now}::timestamptz
                ORDER BY dv.due_at, dv.id
                LIMIT {count_max}::integer
                FOR NO KEY UPDATE SKIP LOCKED
            ),
            taken AS (
                UPDATE delivery dv
                SET status = w.status,
                    reason = CASE w.status WHEN 'FAILED' THEN 'CRASHED' WHEN 'UNKNOWN' THEN 'CRASHED' END,
                    attempt = dv.attempt + CASE w.status WHEN 'SENDING' THEN 1 ELSE 0 END,
                    crashes = dv.crashes + 1,
                    due_at = CASE w.status WHEN 'SENDING' THEN {lease}::timestamptz END,
                    finished_at = CASE w.status WHEN 'SENDING' THEN NULL ELSE {now}::timestamptz END
                FROM due
                JOIN delivery was ON was.id = due.id
                CROSS JOIN LATERAL (
                    SELECT
                        CASE
                            WHEN was.status = 'DATA' THEN 'UNKNOWN'
                            WHEN was.crashes >= {crashes_max}::integer THEN 'FAILED'
                            ELSE 'SENDING'
                        END AS status
                ) AS w
                WHERE dv.id = due.id
                RETURNING
                    dv.id, dv.attempt, dv.status, dv.channel, dv.origin, dv.contact_id, dv.message_id, dv.content,
                    dv.queued_at
            )
            SELECT * FROM taken ORDER BY taken.id
            """,
            channels=list(channels),
            now=now,
            lease=now + LEASE,
            count_max=count_max,
            crashes_max=CRASHES_MAX,
        )
    )
    taken = [row for row in rows if row.pop("status") == "SENDING"]
    return [Claimed(**row) for row in taken], len(rows) - len(taken)


async def renew(held: Sequence[Claimed], now: datetime) -> None:
    """Whoever holds these is alive: nobody else takes them for as long as a lease."""
    await db.execute(
        Sql(
            """
            UPDATE delivery dv
            SET due_at = {lease}::timestamptz
            FROM {mine}
            WHERE dv.id = mine.id
              AND dv.attempt = mine.attempt
              AND dv.status IN ('SENDING', 'DATA')
            """,
            lease=now + LEASE,
            mine=mine(held),
        )
    )


async def settle(ended: Sequence[Ended], now: datetime) -> set[int]:
    """Note what became of these attempts, in one statement; the ids of those that were still this process's.

    Who slept past its lease, so that somebody else has claimed the delivery, is not heard. What was taken for crashed
    meanwhile, or was UNKNOWN, and nobody has asked to send again, becomes what it is.
    """
    done = await db.column(
        Sql(
            """
            UPDATE delivery dv
            SET status = w.status,
                reason = w.reason,
                answer = w.answer,
                provider_id = coalesce(w.provider_id, dv.provider_id),
                bounce = w.bounce,
                crashes = 0,
                due_at = w.due_at,
                finished_at = CASE WHEN w.due_at IS NULL THEN {now}::timestamptz END,
                untold = dv.contact_id IS NOT NULL
                    AND dv.channel IN ('EMAIL', 'SMS')
                    AND dv.origin IN ('AUTOMATION', 'CAMPAIGN', 'PERSONAL')
                    AND (w.status = 'SENT' OR w.status = 'FAILED' AND w.bounce IS NOT NULL)
            FROM unnest(
                {ids}::bigint[], {attempts}::integer[], {statuses}::text[], {reasons}::text[], {answers}::text[],
                {providers}::text[], {due}::timestamptz[], {bounces}::text[]
            ) AS w (id, attempt, status, reason, answer, provider_id, due_at, bounce)
            WHERE dv.id = w.id
              AND dv.attempt = w.attempt
              AND (
                  dv.status IN ('SENDING', 'DATA')
                  OR dv.status = 'UNKNOWN' AND (w.due_at IS NULL OR dv.reason = 'CRASHED')
              )
            RETURNING dv.id
            """,
            ids=[each.claimed.id for each in ended],
            attempts=[each.claimed.attempt for each in ended],
            statuses=[each.status for each in ended],
            reasons=[each.reason for each in ended],
            answers=[each.answer for each in ended],
            providers=[each.provider_id for each in ended],
            due=[each.due_at for each in ended],
            bounces=[each.bounce for each in ended],
            now=now,
        )
    )
    return set(done)


async def give_back(held: Sequence[Claimed], now: datetime, *, forgiven: bool) -> None:
    """These are for whoever comes next, at once: the caller knows that nothing of them has gone, even where the point
    of no return was written.

    Unless `forgiven`, the claim counts as one from which nobody came back.
    """
    await db.execute(
        Sql(
            """
            UPDATE delivery dv
            SET status = 'QUEUED',
                reason = NULL,
                crashes = CASE WHEN {forgiven}::boolean THEN 0 ELSE dv.crashes END,
                due_at = {now}::timestamptz,
                finished_at = NULL
            FROM {mine}
            WHERE dv.id = mine.id
              AND dv.attempt = mine.attempt
              AND (dv.status IN ('SENDING', 'DATA') OR dv.status = 'UNKNOWN' AND dv.reason = 'CRASHED')
            """,
            forgiven=forgiven,
            now=now,
            mine=mine(held),
        )
    )


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


def mine(held: Sequence[Claimed], addresses: Sequence[str | None] | None = None) -> Sql:
    """A table `mine (id, attempt, address)` of what this process holds."""
    return Sql(
        "unnest({ids}::bigint[], {attempts}::integer[], {addresses}::text[]) AS mine (id, attempt, address)",
        ids=[each.id for each in held],
        attempts=[each.attempt for each in held],
        addresses=list(addresses or [None] * len(held)),
    )
