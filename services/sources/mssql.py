"""SQL Server as a source: one SELECT in a transaction that is always taken back, as it has none that only reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from typing import Any

import pymssql

from kit import sql
from kit.sql import Sql
from services import database
from services.database import Address, Database, Rows, Session
from services.sources import hosts

CONNECT_SECONDS_MAX = 5
_TLS = {"OFF": "off", "PREFER": "request", "REQUIRE": "require"}
_DENIED = (18456, 18452, 4060)  # wrong password, untrusted login, no such database


class _Session(Session):
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def columns(self, text: str) -> tuple[str, ...]:
        def ask() -> tuple[str, ...]:
            with self._connection.cursor() as cursor:
                cursor.execute(text)
                return tuple(column[0] for column in cursor.description)

        try:
            return await asyncio.to_thread(ask)
        except pymssql.Error as error:
            raise _failed(error) from None

    async def read(self, text: str, values: Sequence[Any], *, size: int) -> AsyncIterator[Rows]:
        cursor = self._connection.cursor()
        try:
            await asyncio.to_thread(cursor.execute, text)
            while rows := await asyncio.to_thread(cursor.fetchmany, size):
                yield rows
        except pymssql.Error as error:
            raise _failed(error) from None


class Mssql(Database):
    """The driver would take several statements at once: `services/sync_queries.py` sees to it that there is one."""

    port = 1433
    quotes = ("[", "]")
    top = True

    def verbatim(self, text: str) -> Sql:
        return sql.verbatim(text)

    def value(self, value: Any) -> tuple[Sql, list[Any]]:
        """Written into the statement: the driver, given values, would look for gaps in the query of the source, too."""
        if isinstance(value, datetime):
            written = f"'{value.isoformat(timespec='milliseconds')}'"
        elif isinstance(value, date):
            written = f"'{value:%Y%m%d}'"  # the form that no language of a server reads in another order
        else:
            written = pymssql._mssql.quote_simple_value(value).decode()
        return sql.verbatim(written), []

    @asynccontextmanager
    async def session(self, address: Address, *, seconds: int) -> AsyncIterator[Session]:
        host = await hosts.found(address)
        try:
            connection = await asyncio.to_thread(_open, address, host, seconds)
        except pymssql.Error as error:
            raise database.denied() if _is_denied(error) else database.unreachable() from None
        try:
            yield _Session(connection)
        finally:
            with suppress(pymssql.Error):
                await asyncio.to_thread(connection.close)


def _open(address: Address, host: str, seconds: int) -> Any:
    return pymssql.connect(
        server=host,
        port=str(address.port),
        user=address.user,
        password=address.password or "",
        database=address.database,
        timeout=seconds,
        login_timeout=CONNECT_SECONDS_MAX,
        appname="parcours",
        encryption=_TLS[address.tls],
        read_only=True,
        autocommit=False,
        use_datetime2=True,
        tds_version="7.4",  # else the driver tries older ones that have no TLS, whatever is required
    )


def _is_denied(error: Exception) -> bool:
    """Whether the server's own words are first; the driver may still have the number of what went wrong before."""
    number, words = _said(error)
    return number in _DENIED and not words.startswith("DB-Lib error")


def _failed(error: Exception) -> Exception:
    return database.failed(_said(error)[1].partition("DB-Lib error")[0])


def _said(error: Exception) -> tuple[int, str]:
    """The number and the words of an error, however deep the driver has put them."""
    found: Any = error.args
    while isinstance(found, tuple) and len(found) == 1:
        found = found[0]
    number, words = found if isinstance(found, tuple) and len(found) == 2 else (0, found)
    return number, words.decode(errors="replace") if isinstance(words, bytes) else str(words)


DATABASE = Mssql()
