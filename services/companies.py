"""Companies: where contacts work, known by their name."""

from __future__ import annotations

from collections.abc import Sequence

from kit import db
from kit.sql import Sql
from services.caller import Caller


async def ensure(names: Sequence[str], *, by: Caller) -> dict[str, int]:
    """The company of every name (tidied by the caller), made where there was none; upper and lower case are one."""
    found = await _find(names)
    missing = [name for name in names if name not in found]
    if missing:
        await db.execute(
            Sql(
                """
                INSERT INTO company (name, created_at)
                SELECT w.name, {now}::timestamptz
                FROM unnest({names}::text[]) AS w (name)
                ORDER BY lower(w.name)
                ON CONFLICT DO NOTHING
                """,
                names=missing,
                now=by.now,
            )
        )
        found = await _find(names)
    return found


async def _find(names: Sequence[str]) -> dict[str, int]:
    found = await db.rows(
        Sql(
            """
            SELECT w.name, co.id
            FROM unnest({names}::text[]) AS w (name)
            JOIN company co ON lower(co.name) = lower(w.name)
            """,
            names=list(names),
        )
    )
    return {row["name"]: row["id"] for row in found}
