"""The open sockets of this process: how many a user may have, and that none outlives its token."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from kit import log, outage
from services import tokens

SOCKETS_PER_USER_MAX = 5
CHECK_SECONDS = 1

_log = log.get("sockets")


class Open(Protocol):
    """A socket whose caller is known."""

    token: str
    user_id: int | None

    async def forbid(self) -> None:
        """Close it, because its token is no longer valid."""
        ...


class Sockets:
    """Every open socket of this process."""

    def __init__(self) -> None:
        self._open: set[Open] = set()

    @property
    def count(self) -> int:
        return len(self._open)

    def admit(self, socket: Open) -> bool:
        """Whether the user may have one more; if so it is watched until `leave`."""
        if sum(other.user_id == socket.user_id for other in self._open) >= SOCKETS_PER_USER_MAX:
            return False
        self._open.add(socket)
        return True

    def leave(self, socket: Open) -> None:
        self._open.discard(socket)

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look every second, in one statement, whether the tokens of all open sockets are still valid."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self._look()
            except Exception as error:
                # Without the database nobody can say that a token was revoked; the sockets stay.
                _log.log(30 if outage.is_outage(error) else 40, "cannot check tokens of sockets", exc_info=error)

    async def _look(self) -> None:
        known = list(self._open)
        if known:
            valid = await tokens.find_alive({socket.token for socket in known})
            await asyncio.gather(*(socket.forbid() for socket in known if socket.token not in valid))
