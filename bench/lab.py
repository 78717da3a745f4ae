"""What a measurement needs: servers of its own, an owner's token, and figures for a table."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kit import children, config, db
from kit.datafolder import Addresses, DataFolder
from kit.embedded import create_database
from models import migrate

TOKEN = "bench_token_of_the_owner"
PYTHON = [sys.executable, "-m"]
START_SECONDS_MAX = 30


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what was measured, the median, and beside what."""

    what: str
    value: str
    beside: str = ""


@contextlib.contextmanager
def servers() -> Iterator[Addresses]:
    """PostgreSQL and Valkey as in production (commits reach the disk), migrated, with an owner; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="parcours-bench-", ignore_cleanup_errors=True) as path:
        say("starting PostgreSQL and Valkey")
        with DataFolder(Path(path)).servers() as addresses:
            asyncio.run(_prepare(addresses))
            yield addresses


async def _prepare(addresses: Addresses) -> None:
    from kit import clock
    from services import users

    server = config.parse_database_url(addresses.database_url)
    await create_database(replace(server, database="postgres"), server.database)
    await migrate.run(server)
    await db.connect(server)
    try:
        await users.ensure_owner(TOKEN, now=await clock.now())
    finally:
        await db.disconnect()


def with_database(addresses: Addresses, do: Callable[[], Awaitable[Any]]) -> Any:
    """Do something with the database open, without a limit to how long a statement may take."""

    async def connected() -> Any:
        await db.connect(config.parse_database_url(addresses.database_url), statement_timeout_seconds=0)
        try:
            return await do()
        finally:
            await db.disconnect()

    return asyncio.run(connected())


@contextlib.contextmanager
def process(addresses: Addresses, *words: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process on these servers, as `python -m …`; stopped afterwards."""
    surroundings = os.environ | variables
    surroundings |= {"DATABASE_URL": addresses.database_url, "REDIS_URL": addresses.redis_url}
    child = children.spawn([*PYTHON, *words], environment={"PARCOURS_LOG_LEVEL": "warning", **surroundings})
    try:
        yield child
    finally:
        child.terminate()
        children.finish(child, 10)


def wait_until(ready: Callable[[], bool], what: str, seconds: float = START_SECONDS_MAX) -> None:
    """Return when it is ready; fail when that takes too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} took more than {seconds} seconds")
        time.sleep(0.02)


def say(text: str) -> None:
    """A line about what is going on, above the figures."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def bar(done: int, total: int, text: str) -> None:
    """How far it is, on one line of the terminal."""
    if not sys.stderr.isatty():
        return
    full = 30 * done // max(total, 1)
    print(f"\r  [{'█' * full}{' ' * (30 - full)}] {text}\x1b[K", end="", file=sys.stderr, flush=True)
    if done >= total:
        print(file=sys.stderr)


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
