"""Latency: how long after `enterAutomation` was sent the first visit is there, on an idle server."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from pathlib import Path

import asyncpg

from bench.lab import PYTHON, TOKEN, Figure, bar, median, percentile, say, wait_until
from bench.wire import answers, ask, do, free_port, request
from kit import children, config, db
from kit.datafolder import DataFolder

SAMPLES = 200
PAUSE_SECONDS = (0.05, 0.35)  # between two of them, so that they meet every moment of the ticks
POLL_SECONDS = 0.001
PATIENCE_SECONDS = 10
MILLISECONDS = 1_000
SEED = 7


def measure() -> list[Figure]:
    """The times of the mutation itself and of the first visit, over HTTP to a running `parcours up`."""
    with tempfile.TemporaryDirectory(prefix="parcours-bench-", ignore_cleanup_errors=True) as folder:
        port = free_port()
        say("starting parcours up")
        surroundings = os.environ | {"PARCOURS_OWNER_TOKEN": TOKEN, "PARCOURS_LOG_LEVEL": "warning"}
        for name in ("DATABASE_URL", "REDIS_URL"):
            surroundings.pop(name, None)
        words = [*PYTHON, "cli", "up", "--data", folder, "--port", str(port)]
        with open(os.devnull, "w") as nowhere:
            server = children.spawn(words, environment=surroundings, output=nowhere)
        try:
            wait_until(lambda: answers(port), "parcours up", 60)
            answered, visited = asyncio.run(_samples(port, Path(folder)))
        finally:
            server.terminate()
            children.finish(server, 15)
    return [
        _figure("enterAutomation answers", answered),
        _figure("enterAutomation to the first visit", visited),
    ]


def _figure(what: str, times: list[float]) -> Figure:
    return Figure(what, f"{median(times):,.0f} ms", f"p99 {percentile(times, 0.99):,.0f} ms of {len(times)}")


async def _samples(port: int, folder: Path) -> tuple[list[float], list[float]]:
    """Milliseconds of every sample until the answer, and until the visit."""
    automation = _automation(port)
    contacts = [_contact(port, number) for number in range(SAMPLES + 10)]
    server = config.parse_database_url(DataFolder(folder).beside().database_url)
    connection = await db.open_one(server)
    chance = random.Random(SEED)
    answered, visited = [], []
    try:
        for number, contact in enumerate(contacts):
            await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
            body = request(ENTER, input={"contactId": contact, "automationId": automation})
            began = time.perf_counter()
            payload = (await asyncio.to_thread(ask, port, body))["data"]["enterAutomation"]
            answered.append((time.perf_counter() - began) * MILLISECONDS)
            assert not payload["errors"], payload
            await _visit(connection, int(payload["run"]["id"].removeprefix("run_")))
            visited.append((time.perf_counter() - began) * MILLISECONDS)
            bar(number + 1, len(contacts), f"{visited[-1]:.0f} ms")
    finally:
        await connection.close()
    return answered[-SAMPLES:], visited[-SAMPLES:]


ENTER = """
mutation ($input: EnterAutomationInput!) {
  enterAutomation(input: $input) { run { id } errors { code message } }
}
"""


async def _visit(connection: asyncpg.Connection, run_id: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await connection.fetchval("SELECT count(*) FROM visit i WHERE i.run_id = $1", run_id):
        assert time.monotonic() < deadline, "no visit"
        await asyncio.sleep(POLL_SECONDS)


def _automation(port: int) -> str:
    steps = [
        {"id": "tag", "do": {"addTag": {"tag": "seen"}}, "next": "wait"},
        {"id": "wait", "do": {"waitFor": {"duration": {"days": 1}}}},
    ]
    made = do(port, "createAutomation", "automation { id }", name="Bench", triggers=[], steps=steps)["automation"]["id"]
    do(port, "activateAutomation", "automation { id }", id=made)
    return made


def _contact(port: int, number: int) -> str:
    email = f"person{number}@example.com"
    return do(port, "createContact", "contact { id }", email=email)["contact"]["id"]
