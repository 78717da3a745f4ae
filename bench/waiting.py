"""A million runs: how fast they come in, and how soon those that fall due move on among more and more that wait."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta
from typing import Any

from bench.journey import PIECE, enter_all, until_quiet
from bench.lab import Figure, say
from kit import clock, db
from kit.sql import Sql
from services import caller
from workflows import entry, publish

MILLION = int(os.environ.get("PARCOURS_BENCH_MANY", "1000000"))
DUE = 10_000
WAITING = (10_000, 100_000, MILLION)
POLL_SECONDS = 0.02


async def enter_everybody() -> list[Figure]:
    """A million runs, all of them waiting for a month afterwards."""
    say(f"letting {MILLION:,} contacts in")
    automation = await _automation("Everybody", {"waitFor": {"duration": {"days": 30}}})
    began = time.perf_counter()
    entered = await enter_all(automation)
    took = time.perf_counter() - began
    await db.execute(Sql("UPDATE automation a SET status = 'INACTIVE' WHERE a.id = {id}::bigint", id=automation))
    say(f"{entered / took:,.0f} runs/s")
    return [Figure(f"letting {entered:,} contacts in", f"{took:,.1f} s", f"{entered / took:,.0f} runs/s")]


async def due_among_waiting() -> list[Figure]:
    """10,000 runs that fall due in the same second, among more and more that wait."""
    figures = []
    for waiting in WAITING:
        say(f"{DUE:,} fall due among {waiting:,} that wait")
        automation = await _automation(f"Waiting {waiting}", {"waitFor": {"duration": {"days": 30}}})
        figures.append(await _due(automation, waiting))
    return figures


async def _due(automation: int, waiting: int) -> Figure:
    first = await db.value(Sql("SELECT min(c.id) FROM contact c"))
    for start in range(0, waiting, PIECE):
        some = Sql(
            "SELECT c.id FROM contact c WHERE c.id >= {start}::bigint AND c.id < {beyond}::bigint",
            start=first + start,
            beyond=first + min(start + PIECE, waiting),
        )
        await entry.enter(some, automation, by=caller.system(await clock.now()))
    while await db.value(_unsettled(automation)):
        await asyncio.sleep(0.1)
    await until_quiet()
    await db.execute(Sql("VACUUM (ANALYZE) run"))
    at = await clock.now() + timedelta(seconds=3)
    await db.execute(
        Sql(
            """
            UPDATE run r
            SET due_at = {at}::timestamptz
            WHERE r.id = ANY(ARRAY(
                SELECT r.id FROM run r WHERE r.automation_id = {automation}::bigint ORDER BY r.id LIMIT {due}::integer
            ))
            """,
            at=at,
            automation=automation,
            due=DUE,
        )
    )
    # What the visit says of the wait decides: it began a month ago.
    await db.execute(
        Sql(
            """
            UPDATE visit i
            SET entered_at = {at}::timestamptz - interval '30 days'
            FROM run r
            WHERE r.id = i.run_id
              AND r.automation_id = {automation}::bigint
              AND r.due_at = {at}::timestamptz
            """,
            at=at,
            automation=automation,
        )
    )
    ended = Sql(
        "SELECT count(*) FROM run r WHERE r.automation_id = {automation}::bigint AND r.ended_at IS NOT NULL",
        automation=automation,
    )
    while (now := await clock.now()) < at or await db.value(ended) < DUE:
        await asyncio.sleep(POLL_SECONDS)
    took = (now - at).total_seconds()
    await publish.deactivate(automation, by=caller.system(now))
    say(f"{took:,.2f} s")
    return Figure(f"{DUE:,} runs due at once among {waiting:,} waiting", f"{took:,.2f} s", "until the last has moved")


def _unsettled(automation: int) -> Sql:
    return Sql(
        "SELECT EXISTS (SELECT FROM run r WHERE r.automation_id = {automation}::bigint AND NOT r.waiting)",
        automation=automation,
    )


async def _automation(name: str, step: dict[str, Any]) -> int:
    by = caller.system(await clock.now())
    made = await publish.create({"name": name, "triggers": [], "steps": [{"id": "wait", "do": step}]}, by=by)
    await publish.activate(made, by=by)
    return made
