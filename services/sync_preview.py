"""What a run of a source would do, without doing it: the first rows, read as the run would read them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from kit import db
from kit.errors import Refused
from kit.sql import Sql
from services import incoming_orders, mapping, previews, sync_intake, sync_reading
from services.caller import Caller
from services.database import Asked
from services.sync_reading import Columns, Reading, Texts
from services.sync_sources import SyncSource
from services.sync_values import ORDERS

ROWS_MAX = 1_000
SAMPLES = 3
READ_SECONDS_MAX, COUNT_SECONDS_MAX = 4, 1  # there; people are waiting, and a request has ten seconds


@dataclass(slots=True)
class Preview:
    """`rows` is how many there are, None where that takes too long to count; the rest is about those `looked_at`."""

    columns: list[dict[str, Any]]
    rows: int | None
    looked_at: int
    first_rows: list[dict[str, str]]
    new: int = 0
    existing: int = 0
    unsubscribed: int = 0
    bad: int = 0
    duplicates: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)


async def look(source: SyncSource, *, by: Caller) -> Preview:
    """Read the first thousand rows that a run would read now, and what it would do with them.

    `new`, `existing` are contacts or orders; `unsubscribed` are contacts who stay so. Never inside a transaction.
    """
    assert not db.inside_transaction(), "nothing is locked here while another database thinks"
    kind, texts = sync_reading.kind_of(source), []
    async with kind.session(source.address, seconds=READ_SECONDS_MAX) as session:
        columns = await sync_reading.look(session, kind, source)
        reading = Reading(source, columns, since=source.mark)
        async for batch in reading.batches(session, kind, size=ROWS_MAX, limit=ROWS_MAX):
            texts += batch
    first = [dict(zip(columns.told, row, strict=True)) for row in texts[:SAMPLES]]
    made = Preview(_columns(columns, texts), await _count(source), len(texts), first)
    if source.brings == ORDERS:
        await _orders(made, source, columns, texts, by)
    else:
        await _contacts(made, source, columns, texts)
    return made


async def _count(source: SyncSource) -> int | None:
    """In a session of its own: one that has run out of time answers nothing more."""
    kind = sync_reading.kind_of(source)
    try:
        async with kind.session(source.address, seconds=COUNT_SECONDS_MAX) as session:
            async for rows in session.read(kind.count(Asked(source.table, source.query)), [], size=1):
                return rows[0][0]
    except Refused:
        return None
    return None


def _columns(columns: Columns, texts: Texts) -> list[dict[str, Any]]:
    told = columns.told
    return [
        {
            "column": name,
            "target": mapping.spelled(columns.targets[name]) if name in columns.targets else None,
            "samples": [row[told.index(name)] for row in texts[:SAMPLES] if row[told.index(name)]]
            if name in told
            else [],
        }
        for name in columns.there
    ]


async def _contacts(made: Preview, source: SyncSource, columns: Columns, texts: Texts) -> None:
    reader = await sync_intake.reader(source, columns)
    batch = await asyncio.to_thread(lambda: reader.read(enumerate(texts, start=1)))
    found = await previews.count(batch, source.list_id)
    made.new, made.existing, made.unsubscribed = found.new, found.existing, found.unsubscribed
    made.bad, made.duplicates, made.problems = found.bad, found.duplicates, found.problems


async def _orders(made: Preview, source: SyncSource, columns: Columns, texts: Texts, by: Caller) -> None:
    rows = enumerate(texts, start=1)
    batch = await asyncio.to_thread(lambda: incoming_orders.read(rows, columns.told, columns.targets, by=by))
    known = Sql(
        "SELECT count(*) FROM shop_order o WHERE o.external_source = {source} AND o.external_id = ANY({ids}::text[])",
        source=source.external_source,
        ids=[order.external_id for order in batch.orders],
    )
    made.existing = await db.value(known)
    made.new = len(batch.orders) - made.existing
    made.bad, made.duplicates = batch.refused, len(batch.repeated)
    made.problems = previews.told(batch.problems)
