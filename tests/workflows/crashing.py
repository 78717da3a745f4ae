"""Processes that do real work and die of it: one that has everything imported forks them, so each is there at once.

`python -m tests.workflows.crashing` takes a line of JSON for each child on its standard input and answers with the
child's status: 0, or -9 where it killed itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kit import clock, config, db
from kit.db import Server
from kit.sql import Sql
from services import caller, import_jobs, imports, submissions
from services.imports import Order
from services.sources.csv_file import CsvFile
from services.submissions import Sending
from tests.patience import PATIENCE_SECONDS
from workflows import claim, dispatch, engine

HOPS_MAX = 6


class Mother:
    """The process that forks children, seen from a test."""

    def __init__(self, server: Server) -> None:
        self._server = asdict(server)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.workflows.crashing"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    async def child(self, crash_at: str | None, **work: Any) -> int:
        """Let a child do its work until its end, or until it comes to that place; its status."""
        return await asyncio.to_thread(self._child, {"server": self._server, "crash_at": crash_at, **work})

    def _child(self, order: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=PATIENCE_SECONDS)


async def work(server: dict[str, Any], forms: list[list[str]], file: str | None) -> None:
    """What workers do, in small bites, and what comes in by forms and files; hour by hour until everything has ended.
    Hints are lost, all of them."""
    await db.connect(Server(**server), pool_size=2)
    imports.BATCH_ROWS, dispatch.EVENTS_MAX = 1, 10
    for form_id, email in forms:
        by = caller.system(await clock.now())
        await submissions.submit(int(form_id), Sending({"email": email}, key=email), by=by)
    if file is not None:
        source, order = CsvFile(Path(file)), Order(tags=("go",))
        if await import_jobs.find_finished(order.fingerprint(source)) is None:
            by = caller.system(await clock.now())
            await imports.run(await imports.prepare(source, order, by=by), source, order, by=by)
    for _ in range(HOPS_MAX):
        await _settle()
        if not await db.value(Sql("SELECT EXISTS (SELECT FROM run r WHERE r.ended_at IS NULL)")):
            break
        await db.execute(Sql("UPDATE account SET clock_shift = clock_shift + interval '1 hour'"))
    await db.disconnect()


async def _open_once(server: dict[str, Any]) -> None:
    await db.connect(Server(**server), pool_size=2)
    await db.disconnect()


async def _settle() -> None:
    while True:
        now = await clock.now()
        done = await dispatch.pass_(now)
        for automation_id in await claim.automations_due(now, count_max=10):
            done += await engine.advance(automation_id, now, count_max=2)
        if not done:
            return


def _be_a_child(order: dict[str, Any]) -> None:
    """In the forked process: work, and never come back."""
    status = 1
    try:
        config.override("test_mode", "true")
        if order["crash_at"] is not None:
            config.override("crash_at", order["crash_at"])
        asyncio.run(work(order["server"], order["forms"], order["file"]))
        status = 0
    finally:
        os._exit(status)


def main() -> None:
    from workflows import step, trigger

    trigger.kinds(), step.kinds()
    warm = False
    for line in sys.stdin:
        if not warm:  # what every process does at its start is done here, once for all children
            asyncio.run(_open_once(json.loads(line)["server"]))
            warm = True
        child = os.fork()
        if child == 0:
            _be_a_child(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
