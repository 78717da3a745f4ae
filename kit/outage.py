"""Whether a failure means "the database or the broker is away, try again soon" rather than a fault of ours."""

from __future__ import annotations

import asyncpg
import redis
from tortoise.exceptions import DBConnectionError

RETRY_AFTER_SECONDS = 2

_AWAY = (
    OSError,  # refused, reset, timed out, no socket
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.DiskFullError,
    asyncpg.OutOfMemoryError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is about to take over
    DBConnectionError,
    redis.ConnectionError,
    redis.TimeoutError,
)


def is_outage(error: BaseException | None) -> bool:
    """Look at an exception and at what caused it; Tortoise and GraphQL wrap the one that tells."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, _AWAY):
            return True
        if isinstance(error, asyncpg.InterfaceError) and ("connection" in str(error) or "pool" in str(error)):
            return True  # the same class also says that a statement got too few parameters
        if isinstance(error, asyncpg.InternalClientError) and "operation (2) is in progress" in str(error):
            return True  # the farewell of a dying server came between two statements, its end has not come yet
        error = getattr(error, "original_error", None) or error.__cause__ or error.__context__
        seen += 1
    return False
