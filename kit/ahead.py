"""Work that is done in a thread before somebody asks for it: the next batch of a file while one is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Piece = TypeVar("Piece")


class Ahead(Generic[Piece]):
    """Makes one piece after the other, and never more than one that nobody has asked for yet."""

    def __init__(self, make: Callable[[], Piece]) -> None:
        self._make = make
        self._begun: asyncio.Future[Piece] | None = None

    def begin(self) -> None:
        """There is time for the next piece; harmless where it has begun."""
        if self._begun is None:
            self._begun = asyncio.ensure_future(asyncio.to_thread(self._make))

    async def take(self) -> Piece:
        """The next piece, made now where nobody began it. What failed in the making is raised here."""
        self.begin()
        assert self._begun is not None
        try:
            return await self._begun
        finally:
            self._begun = None

    async def stop(self) -> None:
        """Return when nothing is being made any more."""
        if self._begun is not None:
            await asyncio.gather(self._begun, return_exceptions=True)
