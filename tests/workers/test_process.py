"""A worker process, as the machine sees it: it needs no hint, survives its servers, and stops when it is told to."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time

import asyncpg
import pytest

from kit import children, config
from kit import db as database
from kit.db import Server
from kit.embedded import Postgres
from models import migrate

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("worker")]


@pytest.fixture
def worker(tmp_path):
    """Starts worker processes on a database; their Valkey does not exist unless one is named."""
    started: list[subprocess.Popen[bytes]] = []

    def start(database_url: str, redis_url: str = f"unix://{tmp_path}/nobody.sock") -> subprocess.Popen[bytes]:
        surroundings = config.environment(DATABASE_URL=database_url, REDIS_URL=redis_url)
        child = children.spawn([sys.executable, "-m", "workers"], environment=surroundings)
        started.append(child)
        return child

    yield start
    for child in started:
        children.stop(child, signal.SIGKILL, 5)


async def _leave_a_fact(server: Server) -> None:
    """A fact that nobody has looked at, written behind the back of every bell."""
    connection = await database.open_one(server)
    try:
        await connection.execute(
            """
            WITH fact AS (
                INSERT INTO event (contact_id, kind, at, recorded_at, actor)
                VALUES (1, 'CONTACT_CREATED', now(), now(), 'system')
                RETURNING id
            )
            INSERT INTO pending_event (event_id)
            SELECT fact.id
            FROM fact
            """
        )
    finally:
        await connection.close()


async def _is_worked_off(server: Server, seconds: float) -> float:
    """How long it took until no fact was left."""
    began = time.monotonic()
    while True:
        try:
            connection = await database.open_one(server)
            try:
                if not await connection.fetchval("SELECT count(*) FROM pending_event"):
                    return time.monotonic() - began
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError):
            pass
        assert time.monotonic() - began < seconds, "Nobody worked it off."
        await asyncio.sleep(0.05)


async def test_without_any_broker_the_tick_finds_the_work(postgres, fresh_db, worker):
    worker(postgres.url(fresh_db.database))
    await _leave_a_fact(fresh_db)
    await _is_worked_off(fresh_db, 10)
    await _leave_a_fact(fresh_db)
    assert await _is_worked_off(fresh_db, 5) < 3


async def test_two_workers_do_no_harm_to_each_other(postgres, fresh_db, worker, valkey):
    for _ in range(2):
        worker(postgres.url(fresh_db.database), valkey)
    for _ in range(20):
        await _leave_a_fact(fresh_db)
    await _is_worked_off(fresh_db, 10)


async def test_work_goes_on_within_five_seconds_of_the_databases_return(tmp_path, worker):
    postgres = Postgres(tmp_path / "postgres", durable=False)
    postgres.start()
    try:
        await postgres.create_database("parcours")
        await migrate.run(postgres.server())
        child = worker(postgres.url())
        await _leave_a_fact(postgres.server())
        await _is_worked_off(postgres.server(), 10)

        postgres.process.kill()
        postgres.process.wait()
        await asyncio.sleep(1.5)  # some passes fail meanwhile
        postgres.start()
        await _leave_a_fact(postgres.server())
        assert await _is_worked_off(postgres.server(), 10) < 5
        assert child.poll() is None
    finally:
        postgres.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_worker_stops_within_five_seconds(postgres, fresh_db, worker, valkey, number):
    child = worker(postgres.url(fresh_db.database), valkey)
    await _leave_a_fact(fresh_db)
    await _is_worked_off(fresh_db, 10)
    began = time.monotonic()
    child.send_signal(number)
    assert await asyncio.to_thread(child.wait, 10) == 0
    assert time.monotonic() - began < 5
