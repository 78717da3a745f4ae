"""How often somebody may do what is dear to the server: so many times in any hour (S9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from kit import db
from kit.sql import Sql

WINDOW = timedelta(hours=1)


async def wait_seconds(times: Sql, *, most: int, now: datetime) -> float:
    """How long until the next may be done; 0 where it may be now. `times` selects when it was done, as `created_at`."""
    free_at = await db.value(
        Sql(
            """
            SELECT s.created_at
            FROM ({times}) AS s
            WHERE s.created_at > {since}::timestamptz
            ORDER BY s.created_at DESC
            OFFSET {most}::bigint - 1
            LIMIT 1
            """,
            times=times,
            since=now - WINDOW,
            most=most,
        )
    )
    return 0.0 if free_at is None else (free_at + WINDOW - now).total_seconds()
