"""Telling webhooks again: one delivery, or every fact since an instant, always under the same ids as before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kit import bell, db
from kit.errors import conflict, invalid, not_found
from kit.sql import Sql
from services import jobs, webhook_facts
from services.caller import Caller
from services.webhook_facts import KEPT

KIND = "replay_webhook"


async def one(delivery_id: int, *, by: Caller) -> None:
    """Send one delivery of a webhook once more, whatever became of it.

    Refused: NOT_FOUND at `deliveryId`, also where it is of no webhook; NOT_RESENDABLE while it is on its way.
    """
    status = await db.value(
        Sql(
            """
            SELECT dv.status
            FROM delivery dv
            WHERE dv.id = {id}::bigint
              AND dv.webhook_id IS NOT NULL
            FOR NO KEY UPDATE
            """,
            id=delivery_id,
        )
    )
    if status is None:
        raise not_found("delivery", "deliveryId")
    if await _again(Sql("SELECT {id}::bigint AS id", id=delivery_id), by) == 0:
        raise conflict("NOT_RESENDABLE", f"It is {status}: it will be sent by itself.", "deliveryId")


async def since(webhook_id: int, instant: datetime, *, by: Caller) -> int:
    """Tell a webhook every fact of its kinds that we heard of since then; the id of the job.

    What it was told already goes again under the same id. Refused: NOT_FOUND at `webhookId`; longer ago than a month,
    for then the ids are forgotten (OUT_OF_RANGE at `since`).
    """
    if await db.value(Sql("SELECT wh.id FROM webhook wh WHERE wh.id = {id}::bigint", id=webhook_id)) is None:
        raise not_found("webhook", "webhookId")
    if not by.now - KEPT <= instant <= by.now:
        raise invalid("OUT_OF_RANGE", f"Give an instant of the last {KEPT.days} days.", "since")
    parameters = {"webhookId": webhook_id, "since": instant.isoformat(), "until": by.now.isoformat()}
    return await jobs.begin(KIND, parameters, by=by)


def facts(webhook_id: int, begin: datetime, end: datetime) -> Sql:
    """The ids of the facts that the webhook asks for, of these instants."""
    return Sql(
        """
        SELECT e.id
        FROM event e
        JOIN webhook wh ON wh.id = {webhook}::bigint AND e.kind = ANY(wh.kinds)
        WHERE e.recorded_at >= {begin}::timestamptz
          AND e.recorded_at <= {end}::timestamptz
        """,
        webhook=webhook_id,
        begin=begin,
        end=end,
    )


async def tell(webhook_id: int, event_ids: Sequence[int], *, by: Caller) -> int:
    """Queue these facts for the webhook, those that it was told before anew; of how many."""
    pairs = Sql(
        "SELECT {webhook}::bigint AS webhook_id, unnest({events}::bigint[]) AS event_id",
        webhook=webhook_id,
        events=list(event_ids),
    )
    told = Sql(
        "SELECT dv.id FROM ({pairs}) AS w JOIN delivery dv ON dv.key = {key}",
        pairs=pairs,
        key=webhook_facts.key("w.webhook_id", "w.event_id"),
    )
    return await _again(told, by) + await webhook_facts.queue(pairs, by=by)


async def _again(ids: Sql, by: Caller) -> int:
    """Queue those deliveries anew that have come to an end; how many."""
    again = await db.column(
        Sql(
            """
            UPDATE delivery dv
            SET status = 'QUEUED',
                reason = NULL,
                answer = NULL,
                crashes = 0,
                due_at = {now}::timestamptz,
                queued_at = {now}::timestamptz,
                finished_at = NULL
            WHERE dv.id IN ({ids})
              AND dv.due_at IS NULL
            RETURNING dv.id
            """,
            ids=ids,
            now=by.now,
        )
    )
    if again:
        await bell.ring("deliver")
    return len(again)
