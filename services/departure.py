"""The point of no return: what is about to go out is looked at once more, and from then on goes out at most once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from kit import db
from kit.sql import Sql
from services import exclusions, mail_consent
from services.attempts import LEASE, Claimed, mine

# A queued message of a run that ended so does not go out any more: what a step did before a normal end stays done.
_CALLED_OFF = "('MANUAL', 'AUTOMATION_ARCHIVED')"
HELD_BACK = timedelta(seconds=30)  # then it is looked whether a paused campaign or a stopped automation goes on
# Two who were sent the same campaign were merged into one.
_HAD_IT = """
    dv.origin = 'CAMPAIGN'
    AND EXISTS (
        SELECT
        FROM delivery had
        WHERE had.contact_id = dv.contact_id
          AND had.campaign_id = dv.campaign_id
          AND had.id < dv.id
          AND had.status <> 'SUPPRESSED'
    )
"""

# What an automation that was called spam too often writes to contacts waits for a person to switch it on again.
_STOPPED = "(dv.origin = 'AUTOMATION' AND dv.channel = 'EMAIL' AND a.stopped_by IS NOT NULL)"


async def depart(held: Sequence[Claimed], addresses: Sequence[str | None], now: datetime) -> dict[int, str]:
    """The point of no return, committed: which of these go out now, as id → status.

    DATA: it is to be handed over now, once. SENDING, for a webhook: it may go. SUPPRESSED: it must not any more.
    QUEUED: the contact has another address by now than the one of `addresses`, or the campaign is paused or the
    automation was stopped, and it is looked at again later. Missing: somebody else has it.

    Exclusions, contacts and memberships are locked before they are looked at, so that who was told “you are
    unsubscribed” before this is seen here, and who comes while it is decided waits for the outcome.
    """

    async def decide() -> dict[int, str]:
        await exclusions.hold()
        await _hold(held)
        rows = await db.rows(_decide(held, addresses, now))
        return {row["id"]: row["status"] for row in rows}

    return await db.all_or_nothing(decide)


async def _hold(held: Sequence[Claimed]) -> None:
    """Lock what decides, runs first, then contacts, then memberships: the order of the engine and of `consent`."""
    await db.execute(
        Sql(
            """
            SELECT count(*)
            FROM (
                SELECT FROM run r
                WHERE r.id IN (SELECT dv.run_id FROM delivery dv WHERE dv.id = ANY({ids}::bigint[]))
                ORDER BY r.id
                FOR SHARE
            ) AS runs
            UNION ALL
            SELECT count(*)
            FROM (SELECT FROM contact c WHERE c.id = ANY({contacts}::bigint[]) ORDER BY c.id FOR SHARE) AS contacts
            UNION ALL
            SELECT count(*)
            FROM (
                SELECT FROM membership m
                WHERE m.contact_id = ANY({contacts}::bigint[])
                ORDER BY m.contact_id, m.list_id
                FOR SHARE
            ) AS memberships
            """,
            ids=[each.id for each in held],
            contacts=sorted({each.contact_id for each in held if each.contact_id is not None}),
        )
    )


def _decide(held: Sequence[Claimed], addresses: Sequence[str | None], now: datetime) -> Sql:
    lists = Sql("dv.list_ids")
    return Sql(
        """
        WITH judged AS MATERIALIZED (
            SELECT
                dv.id,
                dv.channel,
                CASE
                    WHEN r.end_reason IN {called_off} THEN 'RUN_ENDED'
                    WHEN cp.status = 'CANCELLED' THEN 'CAMPAIGN_CANCELLED'
                    WHEN {had_it} THEN 'DUPLICATE'
                    WHEN {stopped} AND a.status = 'ARCHIVED' THEN 'AUTOMATION_ARCHIVED'
                    WHEN dv.origin IN ('NOTICE', 'TEST', 'HOOK') OR dv.channel = 'WEBHOOK' THEN NULL
                    WHEN dv.channel = 'SMS' THEN {texting}
                    WHEN dv.origin = 'PERSONAL' THEN {personal}
                    ELSE {marketing}
                END AS reason,
                dv.origin IN ('AUTOMATION', 'CAMPAIGN', 'PERSONAL')
                AND mine.address IS NOT NULL
                AND mine.address IS DISTINCT FROM CASE dv.channel WHEN 'SMS' THEN c.phone ELSE c.email END AS moved,
                coalesce(cp.status = 'PAUSED', {stopped}, FALSE) AS held
            FROM {mine}
            JOIN delivery dv ON dv.id = mine.id AND dv.attempt = mine.attempt AND dv.status = 'SENDING'
            LEFT JOIN contact c ON c.id = dv.contact_id
            LEFT JOIN run r ON r.id = dv.run_id
            LEFT JOIN campaign cp ON cp.id = dv.campaign_id
            LEFT JOIN automation a ON a.id = dv.automation_id
        )
        UPDATE delivery dv
        SET status = w.status,
            reason = judged.reason,
            crashes = CASE w.status WHEN 'QUEUED' THEN 0 ELSE dv.crashes END,
            due_at = CASE w.status
                WHEN 'SUPPRESSED' THEN NULL
                WHEN 'QUEUED' THEN CASE WHEN judged.held THEN {later}::timestamptz ELSE {now}::timestamptz END
                ELSE {lease}::timestamptz
            END,
            data_at = CASE w.status WHEN 'DATA' THEN {now}::timestamptz ELSE dv.data_at END,
            finished_at = CASE w.status WHEN 'SUPPRESSED' THEN {now}::timestamptz END
        FROM judged
        CROSS JOIN LATERAL (
            SELECT
                CASE
                    WHEN judged.reason IS NOT NULL THEN 'SUPPRESSED'
                    WHEN judged.held OR judged.moved THEN 'QUEUED'
                    WHEN judged.channel = 'WEBHOOK' THEN 'SENDING'
                    ELSE 'DATA'
                END AS status
        ) AS w
        WHERE dv.id = judged.id
          AND dv.status = 'SENDING'
        RETURNING dv.id, dv.status
        """,
        called_off=Sql(_CALLED_OFF),
        had_it=Sql(_HAD_IT),
        stopped=Sql(_STOPPED),
        texting=mail_consent.texting(lists),
        personal=mail_consent.personal(),
        marketing=mail_consent.marketing(lists),
        mine=mine(held, addresses),
        now=now,
        later=now + HELD_BACK,
        lease=now + LEASE,
    )
