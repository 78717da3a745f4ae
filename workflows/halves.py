"""One bad contact never holds back the others: what fails as a whole is tried again in halves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg
from tortoise.exceptions import DBConnectionError, OperationalError

from kit import db

Item = TypeVar("Item")

# Nobody's fault: the whole transaction is rolled back and everything in it tried again.
PASSING = (
    asyncpg.TransactionRollbackError,  # deadlock, serialisation
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    DBConnectionError,
    OSError,
)


def passes(error: BaseException) -> bool:
    """Whether trying the very same again later may well succeed."""
    return isinstance(error, PASSING) and not isinstance(error, asyncpg.QueryCanceledError)


def is_late(error: BaseException) -> bool:
    """Whether it only took too long: the machine, the network or the server has more to do than it can."""
    cause = error.__cause__ or (error.args or (None,))[0] if isinstance(error, OperationalError) else error
    return isinstance(cause, asyncpg.QueryCanceledError | TimeoutError)


async def in_halves(
    items: Sequence[Item],
    act: Callable[[Sequence[Item]], Awaitable[object]],
    alone: Callable[[Item, Exception], Awaitable[None]],
) -> None:
    """Do `act` for all items in a savepoint; where it raises, for each half, down to the item that is at fault.

    That one is handed to `alone` with what was raised, its changes rolled back. Faults that pass are raised at once.
    """
    waiting = [items]
    while waiting:
        some = waiting.pop()
        try:
            async with db.transaction():
                await act(some)
        except Exception as error:
            if passes(error):
                raise
            if len(some) == 1:
                await alone(some[0], error)
            else:
                middle = len(some) // 2
                waiting += [some[middle:], some[:middle]]
