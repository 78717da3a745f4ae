"""People to act on, and what is known of them afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from kit import db as database
from kit.sql import Sql
from services.caller import Caller

Rows = Callable[..., Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def people(caller: Caller) -> Callable[[int], Awaitable[list[int]]]:
    """Makes so many contacts with an e-mail address and no facts; their ids."""

    async def make(number: int) -> list[int]:
        return await database.column(
            Sql(
                """
                INSERT INTO contact (email, created_at, updated_at)
                SELECT format('%s-%s@people.test', gen_random_uuid(), n), {now}, {now}
                FROM generate_series(1, {number}::int) AS n
                RETURNING id
                """,
                number=number,
                now=caller.now,
            )
        )

    return make


@pytest.fixture
def facts(db: object) -> Rows:
    """The facts of these kinds (of all kinds, if none is named), the oldest first, with `data` read."""

    async def find(*kinds: str) -> list[dict[str, Any]]:
        rows = await database.rows(
            Sql(
                """
                SELECT e.contact_id, e.kind, e.at, e.subject, e.actor, e.data
                FROM event e
                WHERE e.kind = ANY({kinds}::text[]) OR cardinality({kinds}::text[]) = 0
                ORDER BY e.id
                """,
                kinds=list(kinds),
            )
        )
        return [{**row, "data": orjson.loads(row["data"] or "null")} for row in rows]

    return find


@pytest.fixture
def count(db: object) -> Callable[[str], Awaitable[int]]:
    """How many rows a table has."""

    async def of(table: str) -> int:
        return await database.value(Sql("SELECT count(*) FROM {table}", table=Sql(table)))

    return of


@pytest.fixture
def stored(db: object) -> Rows:
    """The rows of a table in the order they were made, all columns."""

    async def of(table: str) -> list[dict[str, Any]]:
        return await database.rows(Sql("SELECT * FROM {table} ORDER BY 1", table=Sql(table)))

    return of
