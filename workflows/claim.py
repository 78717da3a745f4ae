"""Claim runs that are due: the row locks of the transaction are the lease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kit import db
from kit.sql import Sql
from workflows.batch import Run


async def automations_due(now: datetime, *, count_max: int) -> list[int]:
    """Active automations in which somebody is due, those that wait longest first. A hint: nothing is locked."""
    async with db.transaction():
        await _walk_indexes()
        return await db.column(
            Sql(
                """
                SELECT a.id
                FROM automation a
                CROSS JOIN LATERAL (
                    SELECT r.due_at
                    FROM run r
                    WHERE r.automation_id = a.id
                      AND r.due_at <= {now}::timestamptz
                      AND r.paused_at IS NULL
                    ORDER BY r.due_at, r.id
                    LIMIT 1
                ) AS oldest
                WHERE a.status = 'ACTIVE'
                ORDER BY oldest.due_at, a.id
                LIMIT {count_max}::integer
                """,
                now=now,
                count_max=count_max,
            )
        )


async def next_due(after: datetime, within: timedelta = timedelta(seconds=1)) -> datetime | None:
    """The first instant after this one, and soon, at which somebody falls due in an active automation."""
    return await db.value(
        Sql(
            """
            SELECT min(first.due_at)
            FROM automation a
            CROSS JOIN LATERAL (
                SELECT r.due_at
                FROM run r
                WHERE r.automation_id = a.id
                  AND r.due_at > {after}::timestamptz
                  AND r.due_at <= {after}::timestamptz + {within}::interval
                ORDER BY r.due_at
                LIMIT 1
            ) AS first
            WHERE a.status = 'ACTIVE'
            """,
            after=after,
            within=within,
        )
    )


async def _walk_indexes() -> None:
    """Until the commit, what is due is read along its index, up to the limit and no further.

    The planner knows a table that grows by a hundred thousand rows in a second only from before. It would believe that
    hardly anybody is due, gather them all in a bitmap and sort them: the whole backlog, for each thousand of it.
    """
    await db.execute(Sql("SELECT set_config('enable_bitmapscan', 'off', TRUE)"))


@dataclass(slots=True)
class Claim:
    """Runs of one automation that this transaction may move, and what they are moved by."""

    automation_name: str
    version_id: int
    runs: list[Run]


async def claim_due(automation_id: int, now: datetime, *, count_max: int) -> Claim | None:
    """The live version and up to `count_max` due runs, locked with their contacts.

    Runs or contacts that somebody else holds are passed over and found by a later pass: nobody waits here, so no single
    contact holds up the others, and passes over the same contacts cannot lock each other out.

    None where nobody is due or the automation is not active. Hold the automation (locks.try_share) before.
    """
    await _walk_indexes()
    rows = await db.rows(
        Sql(
            """
            SELECT a.name, a.version_id AS live, due.*
            FROM automation a
            CROSS JOIN LATERAL (
                SELECT {columns}
                FROM run r
                JOIN contact c ON c.id = r.contact_id
                WHERE r.automation_id = a.id
                  AND r.due_at <= {now}::timestamptz
                  AND r.paused_at IS NULL
                ORDER BY r.due_at, r.id
                LIMIT {count_max}::integer
                FOR UPDATE OF r SKIP LOCKED
                FOR NO KEY UPDATE OF c SKIP LOCKED
            ) AS due
            WHERE a.id = {automation_id}::bigint
              AND a.status = 'ACTIVE'
            """,
            columns=_COLUMNS,
            automation_id=automation_id,
            now=now,
            count_max=count_max,
        )
    )
    if not rows:
        return None
    runs = [_run(row, now) for row in rows]
    waiting = [run for run in runs if run.waiting]
    if waiting:
        await _read_visits(waiting)
    return Claim(rows[0]["name"], rows[0]["live"], runs)


async def claim_one(run_id: int, now: datetime) -> Claim:
    """One run that the caller has locked, due or not, and the live version of its automation."""
    row = await db.row(
        Sql(
            """
            SELECT a.name, a.version_id AS live, one.*
            FROM (SELECT r.automation_id, {columns} FROM run r WHERE r.id = {run_id}::bigint) AS one
            JOIN automation a ON a.id = one.automation_id
            """,
            columns=_COLUMNS,
            run_id=run_id,
        )
    )
    assert row is not None
    run = _run(row, now)
    if run.waiting:
        await _read_visits([run])
    return Claim(row["name"], row["live"], [run])


_COLUMNS = Sql(
    """
    r.id, r.contact_id, r.version_id, r.step_key, r.seq, r.moves, r.depth, r.attempt, r.waiting, r.watching,
    r.deadline_at
    """
)


def _run(row: Mapping[str, Any], now: datetime) -> Run:
    return Run(
        id=row["id"],
        contact_id=row["contact_id"],
        version_id=row["version_id"],
        step_key=row["step_key"],
        seq=row["seq"],
        moves=row["moves"],
        depth=row["depth"],
        attempt=row["attempt"],
        waiting=row["waiting"],
        watching=row["watching"],
        deadline_at=row["deadline_at"],
        entered_at=now,
        visit_step_id=None,
        visit_kind=None,
    )


async def read_passed(runs: list[Run], keys: Sequence[str]) -> None:
    """Add which of these steps each run came through before, and when it left them."""
    begun = {run.id: run for run in runs if run.seq}
    if not keys or not begun:
        return
    found = await db.rows(
        Sql(
            """
            SELECT i.run_id, s.key, max(i.finished_at) AS at
            FROM unnest({run_ids}::bigint[]) AS w (run_id)
            JOIN visit i ON i.run_id = w.run_id
            JOIN automation_step s ON s.id = i.step_id
            WHERE i.status <> 'IN_PROGRESS'
              AND s.key = ANY({keys}::text[])
            GROUP BY i.run_id, s.key
            """,
            run_ids=list(begun),
            keys=list(keys),
        )
    )
    for row in found:
        begun[row["run_id"]].passed[row["key"]] = row["at"]


async def _read_visits(runs: list[Run]) -> None:
    """Add what the visits in progress tell: since when, and at what."""
    found = await db.rows(
        Sql(
            """
            SELECT w.run_id, i.step_id, i.entered_at, s.kind
            FROM unnest({run_ids}::bigint[], {seqs}::integer[]) AS w (run_id, seq)
            CROSS JOIN LATERAL (
                SELECT i.step_id, i.entered_at
                FROM visit i
                WHERE i.run_id = w.run_id
                  AND i.seq = w.seq
                OFFSET 0  -- one look-up a run, whatever the planner believes of a table that grows fast
            ) AS i
            JOIN automation_step s ON s.id = i.step_id
            """,
            run_ids=[run.id for run in runs],
            seqs=[run.seq for run in runs],
        )
    )
    by_id = {run.id: run for run in runs}
    for row in found:
        run = by_id[row["run_id"]]
        run.visit_step_id, run.entered_at, run.visit_kind = row["step_id"], row["entered_at"], row["kind"]
