"""Celery and Procrastinate doing what the engine's ten steps do, a job a step: what the engine is measured beside."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.lab import say, with_database
from kit import children, db
from kit.datafolder import Addresses
from kit.sql import Sql

CONTACTS = 300
STEPS = 10
POLL_SECONDS = 0.02

RIVALS = Path(__file__).parent / "rivals"
RIVALS_HOME = Path(sys.prefix) / "rivals"


def install() -> None:
    """Celery and Procrastinate want other versions of what we use: they get an environment of their own, once."""
    if (RIVALS_HOME / "bin" / "celery").exists():
        return
    say("installing Celery and Procrastinate")
    subprocess.run([sys.executable, "-m", "venv", str(RIVALS_HOME)], check=True)
    pip = [str(RIVALS_HOME / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(RIVALS / "requirements.txt")], check=True)


def steps_a_second(addresses: Addresses, name: str) -> float:
    """Steps a second of a job queue, from its worker's first job on; the first jobs wait in the queue before."""
    say(f"{name}, a job a step")
    first, beyond = with_database(addresses, _prepare)
    surroundings = os.environ | {
        "RIVAL_DATABASE": addresses.database_url,
        "RIVAL_BROKER": addresses.redis_url.replace("unix://", "redis+socket://"),
        "PYTHONPATH": str(RIVALS),
    }
    python = str(RIVALS_HOME / "bin" / "python")
    subprocess.run([python, "-m", f"{name}_steps", str(first), str(beyond)], env=surroundings, check=True)
    words = {
        "celery": [python, "-m", "celery", "-A", "celery_steps", "worker", "--loglevel", "ERROR"],
        "procrastinate": [
            *(python, "-m", "procrastinate", "--app=procrastinate_steps.app", "worker"),
            *("--concurrency", "8", "--delete-jobs", "successful"),
        ],
    }[name]
    with _running(words, surroundings):
        return with_database(addresses, _rate)


async def _prepare() -> tuple[int, int]:
    for statement in TABLES:
        await db.execute(Sql(statement))
    await db.execute(
        Sql(
            "INSERT INTO rival_run SELECT c.id, c.id, 0 FROM contact c ORDER BY c.id LIMIT {count}::integer",
            count=CONTACTS,
        )
    )
    row = await db.row(Sql("SELECT min(r.id) AS first, max(r.id) + 1 AS beyond FROM rival_run r"))
    assert row is not None
    return row["first"], row["beyond"]


TABLES = (
    "DROP TABLE IF EXISTS rival_run, rival_visit",
    """
    CREATE TABLE rival_run (
        id bigint PRIMARY KEY, contact_id bigint NOT NULL, step integer NOT NULL, ended_at timestamptz
    )
    """,
    """
    CREATE TABLE rival_visit (
        run_id bigint NOT NULL, seq integer NOT NULL, status text NOT NULL, at timestamptz NOT NULL,
        PRIMARY KEY (run_id, seq)
    )
    """,
    """
    INSERT INTO tag (name, created_at) VALUES ('rival a', now()), ('rival b', now()), ('rival c', now())
    ON CONFLICT DO NOTHING
    """,
    "DELETE FROM contact_tag ct USING tag t WHERE t.id = ct.tag_id AND t.name LIKE 'rival _'",
)


async def _rate() -> float:
    done = Sql("SELECT count(*) FROM rival_visit")
    while not await db.value(done):
        await asyncio.sleep(POLL_SECONDS)
    before, began = await db.value(done), time.perf_counter()
    while (now_done := await db.value(done)) < CONTACTS * STEPS:
        await asyncio.sleep(POLL_SECONDS)
    rate = (now_done - before) / (time.perf_counter() - began)
    say(f"{rate:,.0f} steps/s")
    return rate


@contextlib.contextmanager
def _running(words: list[str], surroundings: dict[str, str]) -> Iterator[None]:
    with open(os.devnull, "w") as nowhere:
        child = children.spawn(words, environment=surroundings, output=nowhere)
    try:
        yield
    finally:
        child.terminate()
        children.finish(child, 10)
