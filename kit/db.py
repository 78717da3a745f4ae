"""The way into the database: the only file that opens a connection.

One process, one event loop, one pool. Every helper resolves the connection when called, so that what is called
inside `transaction()` is part of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from ssl import SSLContext, create_default_context
from typing import Any, TypeVar

import asyncpg
import orjson
from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from kit.sql import Sql

STATEMENT_TIMEOUT_SECONDS = 5
LOCK_TIMEOUT_SECONDS = 5
CONNECT_TIMEOUT_SECONDS = 3
TRIES_MAX = 3

_TO_TRY_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

Done = TypeVar("Done")


class _Connection(asyncpg.Connection):
    """Skips the round trip that cleans a session on every release: sessions are never changed, only `SET LOCAL`."""

    def get_reset_query(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Server:
    """Where PostgreSQL answers. `host` may be a folder with its socket.

    `ssl` is an sslmode of PostgreSQL. The modes that verify believe the authorities in the file `ssl_authorities`,
    else those that the system believes.
    """

    host: str
    port: int
    user: str
    password: str | None
    database: str
    ssl: str | None = None
    ssl_authorities: str | None = None

    @property
    def tls(self) -> str | SSLContext | None:
        """What the driver is given, which by itself knows no authorities at all."""
        if self.ssl not in ("verify-ca", "verify-full"):
            return self.ssl
        context = create_default_context(cafile=self.ssl_authorities)
        context.check_hostname = self.ssl == "verify-full"
        return context


@dataclass(slots=True)
class Counter:
    """How many statements were sent; for tests that forbid statements that grow with the number of contacts."""

    statements: list[str] = field(default_factory=list)


_counter: ContextVar[Counter | None] = ContextVar("statement_counter", default=None)
_after_commit: ContextVar[list[Callable[[], Awaitable[None]]] | None] = ContextVar("after_commit", default=None)
_context: TortoiseContext | None = None
_server: Server | None = None


def tortoise_config(server: Server, *, pool_size: int, statement_timeout_seconds: float) -> dict[str, Any]:
    """The configuration Tortoise and its migration runner take."""
    return {
        "connections": {
            "default": {
                "engine": "tortoise.backends.asyncpg",
                "credentials": {
                    "host": server.host,
                    "port": server.port,
                    "user": server.user,
                    "password": server.password,
                    "database": server.database,
                    "ssl": server.tls,
                    "minsize": 1,
                    "maxsize": pool_size,
                    "timeout": CONNECT_TIMEOUT_SECONDS,
                    # ours, one second later: for a server that has gone silent and cannot keep its own
                    "command_timeout": statement_timeout_seconds + 1 if statement_timeout_seconds else None,
                    "connection_class": _Connection,
                    "server_settings": {
                        "application_name": "parcours",
                        "timezone": "UTC",
                        "jit": "off",
                        "statement_timeout": f"{int(statement_timeout_seconds * 1000)}",
                        "lock_timeout": f"{LOCK_TIMEOUT_SECONDS * 1000}",
                        "idle_in_transaction_session_timeout": "60000",
                    },
                },
            }
        },
        "apps": {"models": {"models": ["models"], "default_connection": "default", "migrations": "models.migrations"}},
        "use_tz": True,
        "timezone": "UTC",
    }


async def connect(
    server: Server, *, pool_size: int = 10, statement_timeout_seconds: float = STATEMENT_TIMEOUT_SECONDS
) -> None:
    """Open this process's pool. Call once, from the loop that will use it."""
    global _context, _server
    _server = server
    config = tortoise_config(server, pool_size=pool_size, statement_timeout_seconds=statement_timeout_seconds)
    _context = await Tortoise.init(config=config, _enable_global_fallback=True)


async def disconnect() -> None:
    """Close the pool; harmless when it is closed."""
    global _context
    if _context is not None:
        await _context.close_connections()
        _context = None


async def open_one(server: Server | None = None, *, settings: dict[str, str] | None = None) -> asyncpg.Connection:
    """A connection of one's own beside the pool (LISTEN, COPY of a long import, locks of a session). Close it.

    `settings` are those of the session, for a server that is not ours.
    """
    server = server or _server
    assert server is not None, "connect() first"
    return await asyncpg.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        database=server.database,
        ssl=server.tls,
        timeout=CONNECT_TIMEOUT_SECONDS,
        server_settings=settings or {"application_name": "parcours", "timezone": "UTC", "jit": "off"},
    )


async def rows(query: Sql) -> list[dict[str, Any]]:
    """Every row as a dict; also for INSERT, UPDATE and DELETE with RETURNING."""
    text, parameters = query.render()
    counter = _counter.get()
    if counter is not None:
        counter.statements.append(text)
    return await get_connection("default").execute_query_dict(text, parameters)


async def row(query: Sql) -> dict[str, Any] | None:
    """The first row, or None."""
    found = await rows(query)
    return found[0] if found else None


async def value(query: Sql) -> Any:
    """The first column of the first row, or None."""
    found = await rows(query)
    return next(iter(found[0].values())) if found else None


async def column(query: Sql) -> list[Any]:
    """The first column of every row."""
    return [next(iter(found.values())) for found in await rows(query)]


async def execute(query: Sql) -> None:
    """Run a statement whose rows nobody needs."""
    await rows(query)


@contextlib.asynccontextmanager
async def raw() -> AsyncIterator[asyncpg.Connection]:
    """The asyncpg connection itself, for COPY and cursors. Inside a transaction: that transaction's."""
    async with get_connection("default").acquire_connection() as connection:
        yield connection


@contextlib.asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """All or nothing. Inside another transaction this is a savepoint.

    What was handed to `after_commit` inside runs once the outermost transaction is committed, and never if it fails.
    """
    outer = _after_commit.get()
    waiting: list[Callable[[], Awaitable[None]]] = []
    token = _after_commit.set(waiting)
    try:
        async with in_transaction():
            yield
    finally:
        _after_commit.reset(token)
    if outer is not None:
        outer.extend(waiting)
        return
    for act in waiting:
        await act()


async def all_or_nothing(work: Callable[[], Awaitable[Done]]) -> Done:
    """Do this in a transaction of its own, and once more where it met somebody on the same rows in opposite order."""
    for attempt in range(1, TRIES_MAX + 1):
        try:
            async with transaction():
                return await work()
        except (OperationalError, *_TO_TRY_AGAIN) as error:
            cause = error if isinstance(error, _TO_TRY_AGAIN) else error.__cause__ or (error.args or [None])[0]
            if attempt == TRIES_MAX or not isinstance(cause, _TO_TRY_AGAIN):
                raise
    raise AssertionError("unreachable")


async def be_patient(
    *, statement_seconds: float | None = None, lock_seconds: float | None = None, idle_seconds: float | None = None
) -> None:
    """Until this transaction ends, a statement may take so long, wait so long for a lock, and be so long in coming.

    None: as before.
    """
    limits = {
        "statement_timeout": statement_seconds,
        "lock_timeout": lock_seconds,
        "idle_in_transaction_session_timeout": idle_seconds,
    }
    wanted = {name: f"{round(seconds * 1000)}" for name, seconds in limits.items() if seconds is not None}
    await execute(
        Sql(
            "SELECT set_config(w.name, w.most, TRUE) FROM unnest({names}::text[], {limits}::text[]) AS w (name, most)",
            names=list(wanted),
            limits=list(wanted.values()),
        )
    )


def inside_transaction() -> bool:
    """Whether a transaction is open here: no time to wait for anything but the database."""
    return _after_commit.get() is not None


async def after_commit(act: Callable[[], Awaitable[None]]) -> None:
    """Do this when the current transaction is committed; outside of one, now."""
    waiting = _after_commit.get()
    if waiting is None:
        await act()
    else:
        waiting.append(act)


@contextlib.contextmanager
def counting() -> Iterator[Counter]:
    """Count the statements sent inside the block by this task."""
    counter = Counter()
    token = _counter.set(counter)
    try:
        yield counter
    finally:
        _counter.reset(token)


def jsonb(content: Any) -> str:
    """A value as text for a parameter cast to jsonb: `{content}::jsonb`."""
    return orjson.dumps(content).decode()


async def listen(
    channels: dict[str, Callable[[str], None]],
    stop: asyncio.Event,
    *,
    connected: Callable[[], None] = lambda: None,
) -> None:
    """Call `channels[name](payload)` for every NOTIFY until `stop` is set; reconnects for as long as it takes.

    `connected` is called whenever listening begins: what happened before it was not heard.
    """
    while not stop.is_set():
        try:
            connection = await open_one()
            try:
                gone = asyncio.Event()
                connection.add_termination_listener(lambda *_, gone=gone: gone.set())
                for channel, hear in channels.items():
                    await connection.add_listener(channel, lambda _c, _p, _n, payload, hear=hear: hear(payload))
                connected()
                waits = [asyncio.create_task(stop.wait()), asyncio.create_task(gone.wait())]
                try:
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for wait in waits:
                        wait.cancel()
            finally:
                await connection.close(timeout=1)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await asyncio.sleep(1)
