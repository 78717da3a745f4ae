"""Companies: where contacts work, known by their name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit import db
from kit.errors import Problems, conflict
from kit.sql import Sql
from services.caller import Caller
from services.given import Given


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new company from its `name`; its id. Refused: no name, or one that exists, whatever its case (NAME_TAKEN)."""
    problems = Problems()
    name = Given(values, problems).required_text("name")
    problems.refuse()
    made = await db.value(
        Sql(
            """
            INSERT INTO company (name, created_at)
            VALUES ({name}, {now})
            ON CONFLICT DO NOTHING
            RETURNING id
            """,
            name=name,
            now=by.now,
        )
    )
    if made is None:
        raise conflict("NAME_TAKEN", "There is a company of this name.", "name")
    return made


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
