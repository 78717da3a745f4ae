"""What benchmarks of the engine are made of: steps in a row, and waiting until everybody is through."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any

from bench.lab import bar
from kit import clock, db
from kit.sql import Sql
from services import caller
from workflows import entry

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 300
PIECE = 20_000  # contacts let in by one call


async def enter_all(automation: int) -> int:
    """Let everybody in, by pieces, as a job does."""
    first, last = await db.value(Sql("SELECT ARRAY[min(c.id), max(c.id)] FROM contact c"))
    entered = 0
    for start in range(first, last + 1, PIECE):
        some = Sql(
            "SELECT c.id FROM contact c WHERE c.id >= {start}::bigint AND c.id < {beyond}::bigint",
            start=start,
            beyond=start + PIECE,
        )
        entered += len((await entry.enter(some, automation, by=caller.system(await clock.now()))).runs)
    return entered


async def until_all_ended(automation: int, total: int) -> None:
    """Wait for everybody to be through, and show how many are."""
    # By what is counted as runs end: looking at the runs twenty times a second would be a tenth of the work.
    waiting = Sql(
        """
        SELECT {total}::bigint - coalesce(sum(rc.n), 0)::bigint
        FROM run_count rc
        WHERE rc.automation_id = {automation}::bigint
          AND rc.end_reason IS NOT NULL
        """,
        automation=automation,
        total=total,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := await db.value(waiting)) > 0:
        assert time.monotonic() < deadline, f"{left} runs have not ended"
        bar(total - left, total, f"{total - left:,} of {total:,} contacts are through")
        await asyncio.sleep(POLL_SECONDS)
    bar(total, total, f"{total:,} contacts are through")


async def until_quiet() -> None:
    """The worker has looked at every fact, so that the next measurement has the machine for itself."""
    while await db.value(Sql("SELECT count(*) FROM pending_event")):
        await asyncio.sleep(POLL_SECONDS)


async def completed_visits(automation: int) -> int:
    """How many steps were done for somebody."""
    return await db.value(
        Sql(
            """
            SELECT count(*)
            FROM visit i
            JOIN automation_step s ON s.id = i.step_id
            WHERE s.automation_id = {automation}::bigint
              AND i.status = 'COMPLETED'
            """,
            automation=automation,
        )
    )


def line(*steps: dict[str, Any]) -> list[dict[str, Any]]:
    """Steps of which each leads to the next, unless it says otherwise."""
    for each, following in pairwise(steps):
        each.setdefault("next", following["id"])
    return list(steps)


def if_(key: str, rule: dict[str, Any], yes: str, no: str) -> dict[str, Any]:
    """A step with two ways on."""
    branches = [{"name": "YES", "next": yes}, {"name": "NO", "next": no}]
    return {"id": key, "do": {"ifElse": {"where": rule}}, "branches": branches, "next": None}
