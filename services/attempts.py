"""Attempts at deliveries: claimed by a process under a lease, renewed, and noted as what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kit import db
from kit.sql import Sql

LEASE = timedelta(seconds=30)
CRASHES_MAX = 3  # claims from which nobody came back, before it is given up
GIVE_UP_AFTER = timedelta(hours=24)  # of refusals that may pass


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


def mine(held: Sequence[Claimed], addresses: Sequence[str | None] | None = None) -> Sql:
    """A table `mine (id, attempt, address)` of what this process holds."""
    return Sql(
        "unnest({ids}::bigint[], {attempts}::integer[], {addresses}::text[]) AS mine (id, attempt, address)",
        ids=[each.id for each in held],
        attempts=[each.attempt for each in held],
        addresses=list(addresses or [None] * len(held)),
    )
