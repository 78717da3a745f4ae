"""What time it is: the database's time, asked for once at a door and handed down as `now`.

Processes on several machines agree on it, and no clock of a worker can fire a timer early. Nothing but this file
may ask the machine (a guard in tests/house/ sees to it).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from kit import db
from kit.sql import Sql


async def now() -> datetime:
    """The instant of the database, with the operator's shift of a test clock added."""
    return await db.value(Sql("SELECT parcours_now()"))


def wall() -> datetime:
    """This machine's time. For logs and file names, never for automation time."""
    return datetime.now(UTC)


def ticks() -> float:
    """Seconds of a clock that never jumps, for measuring how long something takes."""
    return time.monotonic()
