"""Workers that are killed with SIGKILL again and again while they do jobs; the last one is left to finish.

`python -m tests.jobs.mortal` reads where the database is from its standard input, and ends when no job is left.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from typing import Any

from kit import clock, db
from kit.db import Server
from services import imports, jobs
from services.job_kinds import export, preview_import
from workflows import jobs as work

DEATHS = 5
PIECES_MAX = 5  # of one life
PIECE_SECONDS = 0.03
SMALL = 5


async def live(server: dict[str, Any], told: int) -> None:
    """Do jobs in small pieces, and say after each that it is done."""
    imports.BATCH_ROWS = export.PIECE_SIZE = preview_import.BATCH_ROWS = SMALL
    jobs.fix.__kwdefaults__ = {"size": SMALL}
    await db.connect(Server(**server), pool_size=2)
    while await work.pass_(await clock.now()):
        os.write(told, b".")
    await db.disconnect()


def one_life(server: dict[str, Any], chance: random.Random | None) -> int:
    """A worker in a process of its own, killed somewhere in a piece unless there is no chance; its status."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        asyncio.run(live(server, writing))
        os._exit(0)
    os.close(writing)
    if chance is not None:
        if os.read(reading, chance.randint(1, PIECES_MAX)):
            time.sleep(chance.random() * PIECE_SECONDS)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reading)
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    server = json.loads(sys.stdin.read())
    chance = random.Random(9)
    deaths = [one_life(server, chance) for _ in range(DEATHS)].count(-signal.SIGKILL)
    sys.stdout.write(json.dumps({"deaths": deaths, "last": one_life(server, None)}))


if __name__ == "__main__":
    main()
