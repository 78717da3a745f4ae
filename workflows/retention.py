"""History that stays small: whole partitions of paths and facts are dropped once all in them is older than wanted.

Nothing is read row by row and no work is stopped: a table is dropped in an instant, or, where somebody holds it for
longer than a moment, by a later round. Runs themselves stay, so that policies and counts know of every entry.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg
from tortoise.exceptions import OperationalError

from kit import db, log
from kit.sql import Sql
from kit.sql import name as quoted
from services import settings

LOCK_SECONDS_MAX = 0.2  # so long may others wait behind us
REFUSALS_DAYS = 90  # entries that were refused are kept for so long, or as long as history
ROWS_MAX = 10_000  # of these are deleted in one statement

_log = log.get(__name__)

# Whether nothing in the range of ids from `low` to before `high` is younger than `limit`, or still needed.
_OVER = {
    "visit": """
        NOT EXISTS (
            SELECT
            FROM run r
            WHERE r.id >= {low}::bigint
              AND r.id < {high}::bigint
              AND (r.ended_at IS NULL OR r.ended_at >= {limit}::timestamptz)
        )
        AND (SELECT max(r.id) FROM run r) >= {high}::bigint
    """,
    "event": """
        NOT EXISTS (
            SELECT
            FROM (
                SELECT e.recorded_at
                FROM event e
                WHERE e.id >= {low}::bigint
                  AND e.id < {high}::bigint
                ORDER BY e.id DESC
                LIMIT 10000  -- ids ascend with time, but for transactions that were open at the same time
            ) AS latest
            WHERE latest.recorded_at >= {limit}::timestamptz
        )
        AND NOT EXISTS (
            SELECT
            FROM pending_event pe
            WHERE pe.event_id >= {low}::bigint
              AND pe.event_id < {high}::bigint
        )
        AND (SELECT max(e.id) FROM event e) >= {high}::bigint
    """,
}


async def drop_old(now: datetime) -> list[str]:
    """Drop what is older than the account keeps its history; the tables that are gone."""
    days = (await settings.read()).history_days
    await _forget_refusals(now - timedelta(days=min(days or REFUSALS_DAYS, REFUSALS_DAYS)))
    if days is None:
        return []
    limit = now - timedelta(days=days)
    return [part for parent in _OVER for part in await _drop(parent, limit)]


async def _drop(parent: str, limit: datetime) -> list[str]:
    """The oldest partitions of a table, one after the other, up to the first that is still needed."""
    gone = []
    for row in await _partitions(parent):
        over = Sql(_OVER[parent], low=row["low"], high=row["high"], limit=limit)
        if not await db.value(Sql("SELECT {over}", over=over)):
            break
        try:
            async with db.transaction():
                await db.be_patient(lock_seconds=LOCK_SECONDS_MAX)
                await db.execute(Sql("DROP TABLE {part}", part=quoted(row["part"])))
        except (asyncpg.LockNotAvailableError, OperationalError):
            _log.info("partition_in_use", partition=row["part"])  # the next round will find it free
            break
        _log.info("partition_dropped", partition=row["part"])
        gone.append(row["part"])
    return gone


async def _partitions(parent: str) -> list[dict]:
    """The partitions by ranges of ids, the oldest first; not the one for what has none."""
    return await db.rows(
        Sql(
            """
            SELECT found.part, found.bounds[1]::bigint AS low, found.bounds[2]::bigint AS high
            FROM (
                SELECT
                    k.relname::text AS part,
                    regexp_match(pg_get_expr(k.relpartbound, k.oid), '\\(''(\\d+)''\\) TO \\(''(\\d+)''\\)') AS bounds
                FROM pg_inherits h
                JOIN pg_class k ON k.oid = h.inhrelid
                WHERE h.inhparent = {parent}::text::regclass
            ) AS found
            WHERE found.bounds IS NOT NULL
            ORDER BY low
            """,
            parent=parent,
        )
    )


async def _forget_refusals(limit: datetime) -> None:
    while True:
        deleted = await db.value(
            Sql(
                """
                WITH gone AS (
                    DELETE FROM refused_entry rf
                    WHERE rf.id IN (
                        SELECT old.id
                        FROM refused_entry old
                        WHERE old.at < {limit}::timestamptz
                        LIMIT {rows_max}::integer
                    )
                    RETURNING rf.id
                )
                SELECT count(*) FROM gone
                """,
                limit=limit,
                rows_max=ROWS_MAX,
            )
        )
        if deleted < ROWS_MAX:
            return
