"""What was sent becomes a fact about the contact: seen in its activity, counted, answered by automations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from kit import bell, db
from kit.sql import Sql
from services import caller as callers
from services import facts, mail_events
from services.caller import Caller


async def tell(now: datetime, *, count_max: int) -> int:
    """Make facts of what was sent since, so that activity, engagement and triggers know of it; of how many.

    Beside `settle`, since nobody waits for it: thousands at a time, each once, whatever dies in between.
    """

    async def work() -> int:
        untold = await db.rows(
            Sql(
                """
                SELECT dv.id, dv.channel, dv.content ->> 'actor' AS actor
                FROM delivery dv
                WHERE dv.untold
                ORDER BY dv.id
                LIMIT {count_max}::integer
                FOR NO KEY UPDATE SKIP LOCKED
                """,
                count_max=count_max,
            )
        )
        if not untold:
            return 0
        by = callers.system(now)
        mails: dict[str, list[int]] = {}  # by whom they were written, if it was a person (AE18)
        for row in untold:
            if row["channel"] == "EMAIL":
                mails.setdefault(row["actor"] or by.actor, []).append(row["id"])
        texts = [row["id"] for row in untold if row["channel"] == "SMS"]
        for actor, written in mails.items():
            await mail_events.record(rows(written), by=replace(by, actor=actor))
        if texts:
            await db.execute(_texts_told(texts, by))
            await bell.ring("dispatch")
        done = [row["id"] for row in untold]
        await db.execute(Sql("UPDATE delivery dv SET untold = FALSE WHERE dv.id = ANY({ids}::bigint[])", ids=done))
        return len(done)

    return await db.all_or_nothing(work)


def rows(ids: Sequence[int]) -> Sql:
    """That these e-mails went out, and came back at once where they did, as rows for `mail_events.record`."""
    return Sql(
        """
        SELECT
            'delivery:' || dv.id AS send_key,
            dv.contact_id,
            w.kind,
            coalesce(dv.finished_at, dv.data_at) AS at,
            NULL::text AS link,
            FALSE AS machine,
            coalesce(dv.bounce = 'SOFT', FALSE) AS soft,
            dv.message_id,
            dv.campaign_id,
            dv.automation_id,
            dv.step_id,
            dv.origin
        FROM delivery dv
        JOIN (VALUES ('SENT'), ('BOUNCED')) AS w (kind) ON w.kind = 'SENT' OR dv.bounce IS NOT NULL
        WHERE dv.id = ANY({ids}::bigint[])
          AND dv.contact_id IS NOT NULL
        """,
        ids=list(ids),
    )


def _texts_told(ids: Sequence[int], by: Caller) -> Sql:
    return Sql(
        """
        WITH {facts}
        SELECT count(*) FROM fact
        """,
        facts=facts.recorded(
            Sql(
                """
                SELECT dv.contact_id, 'SMS_SENT', dv.id, NULL::jsonb, dv.finished_at
                FROM delivery dv
                WHERE dv.id = ANY({ids}::bigint[])
                  AND dv.status = 'SENT'
                ORDER BY dv.id
                """,
                ids=list(ids),
            ),
            by=by,
            dated=True,
        ),
    )
