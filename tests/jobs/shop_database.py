"""The database of a shop beside ours, on the same server: what a sync reads."""

from __future__ import annotations

from typing import Any

import asyncpg

from kit.db import Server

TABLES = """
    CREATE SCHEMA sales;
    CREATE TABLE sales.customer (
        id integer PRIMARY KEY, "E-Mail" text, name text, born date, groups text[], changed_at timestamptz
    );
    CREATE TABLE invoice (
        id integer PRIMARY KEY, customer_id integer, total numeric(10, 2), state text, at timestamp,
        changed_at timestamptz
    );
"""


class ShopDatabase:
    """The shop at its own database."""

    def __init__(self, server: Server, connection: asyncpg.Connection) -> None:
        self.server = server
        self.connection = connection

    async def customer(self, number: int, email: str | None, name: str, at: int = 0, **more: Any) -> None:
        """A new or changed customer; `at` is when in seconds of a day in 2026."""
        await self.connection.execute(
            """
            INSERT INTO sales.customer (id, "E-Mail", name, born, groups, changed_at)
            VALUES ($1, $2, $3, $4, $5, timestamptz '2026-03-01 12:00+00' + make_interval(secs => $6))
            ON CONFLICT (id) DO UPDATE SET
                "E-Mail" = excluded."E-Mail", name = excluded.name, changed_at = excluded.changed_at
            """,
            number,
            email,
            name,
            more.get("born"),
            more.get("groups"),
            at,
        )

    async def invoice(self, number: int, customer: int, total: float, state: str = "PAID") -> None:
        await self.connection.execute(
            """
            INSERT INTO invoice VALUES ($1, $2, $3::float8, $4, '2026-03-01 09:30', now())
            ON CONFLICT (id) DO UPDATE SET customer_id = $2, total = $3::float8, state = $4, changed_at = now()
            """,
            number,
            customer,
            total,
            state,
        )

    async def rows(self) -> list[Any]:
        """Everything that is in it."""
        found = await self.connection.fetch(
            "SELECT c::text FROM sales.customer c UNION ALL SELECT i::text FROM invoice i"
        )
        return sorted(row[0] for row in found)

    def address(self) -> dict[str, Any]:
        """Where it is, as an input says it."""
        server = self.server
        where = {"host": server.host, "port": server.port, "database": server.database, "username": server.user}
        return {"kind": "POSTGRES", **where, "password": "Sesame-1871"}
