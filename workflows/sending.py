"""What the steps that send something have in common: each visit queues one delivery, under the name of the visit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit import db
from kit.sql import Sql
from services import deliveries
from workflows.batch import Batch, Run

DUPLICATE = "DUPLICATE"


async def queue(
    batch: Batch,
    runs: Sequence[Run],
    channel: str,
    *,
    message_id: int,
    list_ids: Sequence[int] = (),
    content: Mapping[str, Any] | None = None,
    origin: str = "AUTOMATION",
) -> None:
    """Queue the message for each of these runs and complete them; the one that has queued it already is a DUPLICATE."""
    if not runs:
        return
    seqs = {run.id: run.seq if run.waiting else run.seq + 1 for run in runs}
    rows = Sql(
        """
        SELECT
            'run:' || w.run_id || ':' || w.seq AS key,
            w.contact_id,
            w.run_id,
            w.seq,
            {channel}::text AS channel,
            {origin}::text AS origin,
            {message}::bigint AS message_id,
            NULL::bigint AS campaign_id,
            {automation}::bigint AS automation_id,
            {step}::bigint AS step_id,
            {lists}::bigint[] AS list_ids,
            {content}::jsonb AS content
        FROM unnest({runs}::bigint[], {contacts}::bigint[], {seqs}::integer[]) AS w (run_id, contact_id, seq)
        ORDER BY w.run_id
        """,
        channel=channel,
        origin=origin,
        message=message_id,
        automation=batch.automation_id,
        step=batch.place.step_id,
        lists=list(list_ids),
        content=None if content is None else db.jsonb(content),
        runs=list(seqs),
        contacts=[run.contact_id for run in runs],
        seqs=list(seqs.values()),
    )
    queued = {row["contact_id"] for row in await deliveries.queue(rows, by=batch.caller)}
    batch.complete([run for run in runs if run.contact_id in queued])
    batch.skip([run for run in runs if run.contact_id not in queued], DUPLICATE)
