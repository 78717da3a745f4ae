"""PostgreSQL as a source: one snapshot in a read-only transaction, streamed by a cursor."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from kit import db, sql
from kit.db import Server
from kit.sql import Sql
from services import database
from services.database import Address, Database, Rows, Session
from services.sources import hosts

SETTINGS = {"application_name": "parcours", "timezone": "UTC", "default_transaction_read_only": "on"}
_TLS = {"OFF": "disable", "PREFER": "prefer", "REQUIRE": "require", "VERIFY": "verify-full"}


class _Session(Session):
    def __init__(self, connection: asyncpg.Connection, seconds: int) -> None:
        self._connection = connection
        self._timeout = seconds + 1  # ours, for a server that has gone silent and cannot keep its own

    async def columns(self, text: str) -> tuple[str, ...]:
        try:
            prepared = await self._connection.prepare(text, timeout=self._timeout)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise database.failed(error) from None
        except (OSError, TimeoutError):
            raise database.unreachable() from None
        return tuple(attribute.name for attribute in prepared.get_attributes())

    async def read(self, text: str, values: Sequence[Any], *, size: int) -> AsyncIterator[Rows]:
        try:
            cursor = await self._connection.cursor(text, *values, timeout=self._timeout)
            while rows := await cursor.fetch(size, timeout=self._timeout):
                yield [tuple(row) for row in rows]
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise database.failed(error) from None
        except (OSError, TimeoutError):
            raise database.unreachable() from None


class Postgres(Database):
    """Drivers of PostgreSQL take one statement at a time, and its transactions refuse to write."""

    port = 5432
    placeholder = "$1"

    def verbatim(self, text: str) -> Sql:
        return sql.verbatim(text)

    @asynccontextmanager
    async def session(self, address: Address, *, seconds: int) -> AsyncIterator[Session]:
        host, tls = await hosts.found(address), _TLS[address.tls]
        server = Server(host, address.port, address.user, address.password, address.database, tls)
        try:
            settings = SETTINGS | {"statement_timeout": f"{seconds * 1000}"}
            connection = await db.open_one(server, settings=settings)
        except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError):
            raise database.denied() from None
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ssl.SSLError, OSError, TimeoutError):
            raise database.unreachable() from None
        try:
            await connection.transaction(isolation="repeatable_read", readonly=True).start()
            yield _Session(connection, seconds)
        finally:
            connection.terminate()  # and the transaction with it


DATABASE = Postgres()
