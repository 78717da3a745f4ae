"""Bells: how a lower floor says "there is work of this kind" without knowing who will come.

A door hangs a ringer (a Dramatiq message for each name); a verb rings by name. Bells ring after the commit, once a
name, and losing one changes nothing: the scheduler's tick finds the work anyway.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from kit import db

Ringer = Callable[[str], Awaitable[None]]


async def _nobody(name: str) -> None:
    """No door has hung a ringer: the tick of a worker will find the work."""


_ringer: Ringer = _nobody


def hang(ringer: Ringer | None) -> None:
    """Whoever rings is heard by `ringer` from now on; None takes it down."""
    global _ringer
    _ringer = ringer or _nobody


async def ring(name: str) -> None:
    """There is work of this kind: `dispatch`, `advance`, `deliver`. Heard after the commit."""
    await db.after_commit(lambda: _ringer(name))
