"""MySQL and MariaDB as a source: one snapshot in a read-only transaction, streamed by an unbuffered cursor."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pymysql
from pymysql.constants import ER, FIELD_TYPE
from pymysql.cursors import SSCursor

from services import database
from services.database import Address, Database, Rows, Session
from services.sources import hosts

CONNECT_SECONDS_MAX = 5
_DENIED = (ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR, ER.BAD_DB_ERROR)


class _Session(Session):
    def __init__(self, connection: pymysql.Connection[Any]) -> None:
        self._connection = connection

    async def columns(self, text: str) -> tuple[str, ...]:
        def ask() -> tuple[str, ...]:
            with self._connection.cursor() as cursor:
                cursor.execute(text, ())
                return tuple(column[0] for column in cursor.description)

        try:
            return await asyncio.to_thread(ask)
        except pymysql.MySQLError as error:
            raise _failed(error) from None

    async def read(self, text: str, values: Sequence[Any], *, size: int) -> AsyncIterator[Rows]:
        cursor = SSCursor(self._connection)
        try:
            await asyncio.to_thread(cursor.execute, text, [_without_zone(value) for value in values])
            instants = [place for place, column in enumerate(cursor.description) if column[1] == FIELD_TYPE.TIMESTAMP]
            while rows := await asyncio.to_thread(cursor.fetchmany, size):
                yield [_zoned(row, instants) for row in rows]
        except pymysql.MySQLError as error:
            raise _failed(error) from None


class Mysql(Database):
    """The driver sends one statement at a time. A TIMESTAMP is an instant, a DATETIME has no zone."""

    port = 3306
    quotes = ("`", "`")

    @asynccontextmanager
    async def session(self, address: Address, *, seconds: int) -> AsyncIterator[Session]:
        host = await hosts.found(address)
        try:
            connection = await asyncio.to_thread(_open, address, host, seconds)
        except pymysql.MySQLError as error:
            raise database.denied() if error.args[:1] and error.args[0] in _DENIED else database.unreachable() from None
        except (OSError, ssl.SSLError, RuntimeError):
            raise database.unreachable() from None
        try:
            yield _Session(connection)
        finally:
            _hang_up(connection)


def _open(address: Address, host: str, seconds: int) -> pymysql.Connection[Any]:
    where: dict[str, Any] = {"unix_socket": host} if host.startswith("/") else {"host": host, "port": address.port}
    connection = pymysql.connect(
        **where,
        user=address.user,
        password=(address.password or "").encode(),  # of a text the driver would make Latin-1
        database=address.database,
        charset="utf8mb4",
        connect_timeout=CONNECT_SECONDS_MAX,
        read_timeout=seconds + 1,
        program_name="parcours",
        autocommit=True,
        ssl_disabled=address.tls == "OFF",
        ssl=_context(address.tls),
    )
    maria = "MariaDB" in connection.get_server_info()
    limit = f"SET SESSION max_statement_time = {seconds}" if maria else f"SET max_execution_time = {seconds * 1000}"
    with connection.cursor() as cursor:
        cursor.execute(limit)
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    return connection


def _hang_up(connection: pymysql.Connection[Any]) -> None:
    """Close at once: what is still on its way would be read to its end by `close`, and once more by the cursor."""
    if connection._result is not None:
        connection._result.unbuffered_active = False
    connection._force_close()


def _context(tls: str) -> ssl.SSLContext | None:
    if tls not in ("REQUIRE", "VERIFY"):
        return None
    context = ssl.create_default_context()
    if tls == "REQUIRE":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _failed(error: pymysql.MySQLError) -> Exception:
    lost = isinstance(error, pymysql.OperationalError) and error.args[:1] and 2000 <= error.args[0] < 3000
    return database.unreachable() if lost else database.failed(error.args[-1] if error.args else error)


def _without_zone(value: Any) -> Any:
    """The session's zone is UTC."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def _zoned(row: tuple[Any, ...], instants: list[int]) -> tuple[Any, ...]:
    if not instants:
        return row
    cells = list(row)
    for place in instants:
        if isinstance(cells[place], datetime):
            cells[place] = cells[place].replace(tzinfo=UTC)
    return tuple(cells)


DATABASE = Mysql()
