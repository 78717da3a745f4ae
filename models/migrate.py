"""Bring a database to the newest shape of the tables, from any number of processes at once."""

from __future__ import annotations

import asyncio

from tortoise.context import TortoiseContext
from tortoise.migrations.api import migrate

from kit import db
from kit.db import Server
from kit.sql import Sql

_LOCK = 7_271_940_001  # any number, the same for ever
_POLL_SECONDS = 0.1


async def run(server: Server) -> None:
    """Apply every migration that this database has not seen; return at once if there is none.

    One process does it, the others wait. They ask again and again instead of waiting inside the database, where a
    waiting statement would hold back `CREATE INDEX CONCURRENTLY`.
    """
    lock, parameters = Sql("SELECT pg_try_advisory_lock({number}::bigint)", number=_LOCK).render()
    connection = await db.open_one(server)
    try:
        while not await connection.fetchval(lock, *parameters):
            await asyncio.sleep(_POLL_SECONDS)
        await _apply(server)
    finally:
        await connection.close()


async def _apply(server: Server) -> None:
    """The runner keeps its own connections; a migration may take as long as it needs."""
    config = db.tortoise_config(server, pool_size=1, statement_timeout_seconds=0)
    config["connections"]["default"]["credentials"]["server_settings"] |= {
        "lock_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
    }
    async with TortoiseContext():
        await migrate(config=config)
