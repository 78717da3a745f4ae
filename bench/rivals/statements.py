"""The bare statements beside what comes in and goes out: the same rows into, or out of, a table like a contact's.

It has a contact's columns, indexes and checks, and no facts, companies, tags, history or answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg

from bench.lab import with_database
from kit import db
from kit.datafolder import Addresses


def seconds(addresses: Addresses, do: Callable[[asyncpg.Connection], Awaitable[Any]]) -> float:
    """Seconds that it takes on a connection of its own, with a table `bare` that is a contact's, indexes and all."""

    async def timed() -> float:
        async with db.raw() as connection:
            await connection.execute("DROP TABLE IF EXISTS bare")
            await connection.execute("CREATE TABLE bare (LIKE contact INCLUDING ALL)")
            began = time.perf_counter()
            await do(connection)
            took = time.perf_counter() - began
            await connection.execute("DROP TABLE bare")
            return took

    return float(with_database(addresses, timed))


async def copy(connection: asyncpg.Connection, path: Path) -> None:
    """The file into a contact's columns; without companies, lists, facts, checks, or the telephones as they stand."""
    await connection.execute(
        "CREATE TEMPORARY TABLE line (id text, first text, last text, co text, land text, p text, e text)"
    )
    await connection.copy_to_table("line", source=path, format="csv", header=True)
    await connection.execute(
        """
        INSERT INTO bare (first_name, last_name, phone, email, lifecycle_stage, created_at, updated_at)
        SELECT line.first, line.last, '+331' || lpad(line.id, 8, '0'), line.e, 'SUBSCRIBER', now(), now()
        FROM line
        """
    )
    await connection.execute("DROP TABLE line")


async def insert(connection: asyncpg.Connection, calls: list[list[dict[str, Any]]]) -> None:
    for each in calls:
        await connection.execute(
            """
            INSERT INTO bare (email, first_name, last_name, lifecycle_stage, created_at, updated_at)
            SELECT w.email, w.first_name, w.last_name, 'SUBSCRIBER', now(), now()
            FROM unnest($1::text[], $2::text[], $3::text[]) AS w (email, first_name, last_name)
            ON CONFLICT (lower(email)) DO UPDATE SET first_name = excluded.first_name, updated_at = excluded.updated_at
            """,
            *([person[key] for person in each] for key in ("email", "firstName", "lastName")),
        )


async def tag(connection: asyncpg.Connection) -> None:
    await connection.execute(
        """
        INSERT INTO contact_tag (contact_id, tag_id, added_at)
        SELECT c.id, t.id, now()
        FROM contact c
        JOIN tag t ON t.name = 'by hand'
        WHERE c.lifecycle_stage IN ('LEAD', 'CUSTOMER')
        """,
        timeout=600,
    )


async def copy_out(connection: asyncpg.Connection) -> None:
    async def swallow(data: bytes) -> None:
        await asyncio.sleep(0)

    query = """
        SELECT c.email, c.phone, c.first_name, c.last_name, c.job_title, c.lifecycle_stage, c.origin, c.created_at
        FROM contact c
        ORDER BY c.id
        """
    await connection.copy_from_query(query, output=swallow, format="csv", timeout=600)
