"""The engine at scale: 200,000 contacts through ten steps beside job queues, a million let in, a million waiting."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.engine import _if, _line, _messages, _until_all_ended, _until_quiet
from bench.lab import Figure, median, process, say, servers, with_database
from bench.people import fill
from kit import children, clock, db
from kit.datafolder import Addresses
from kit.sql import Sql
from services import caller
from workflows import entry, publish

CONTACTS = int(os.environ.get("PARCOURS_BENCH_CONTACTS", "200000"))
MILLION = int(os.environ.get("PARCOURS_BENCH_MANY", "1000000"))
STEPS = 10
ROUNDS = int(os.environ.get("PARCOURS_BENCH_ROUNDS", "2"))
PIECE = 20_000  # contacts let in by one call
RIVAL_CONTACTS = 300
DUE = 10_000
WAITING = (10_000, 100_000, MILLION)
POLL_SECONDS = 0.02

RIVALS = Path(__file__).parent / "rivals"
RIVALS_HOME = Path(sys.prefix) / "rivals"


def measure() -> list[Figure]:
    """Steps a second by one worker and by two, beside messages and jobs; entering a million; what is due among many."""
    _install_rivals()
    one, two, messages, celery, procrastinate = [], [], [], [], []
    with servers() as addresses:
        say(f"storing {CONTACTS:,} contacts")
        with_database(addresses, lambda: fill(CONTACTS))
        for number in range(ROUNDS):
            one.append(_engine(addresses, number, workers=1))
            messages.append(_messages(addresses, chained=False))
            two.append(_engine(addresses, number, workers=2))
            celery.append(_rival(addresses, "celery"))
            procrastinate.append(_rival(addresses, "procrastinate"))
    figures = [
        _beside("ten steps, one worker", one, messages, "messages"),
        _beside("ten steps, two workers", two, one, "one worker"),
        Figure("one no-op Dramatiq message a step", f"{median(messages):,.0f} steps/s"),
        _beside("Celery, a job a step", celery, one, "the engine"),
        _beside("Procrastinate, a job a step", procrastinate, one, "the engine"),
    ]
    with servers() as addresses:
        say(f"storing {MILLION:,} contacts")
        with_database(addresses, lambda: fill(MILLION))
        figures += with_database(addresses, _enter_everybody)
        with process(addresses, "workers"):
            figures += with_database(addresses, _due_among_waiting)
    return figures


def _beside(what: str, rates: list[float], others: list[float], name: str) -> Figure:
    return Figure(what, f"{median(rates):,.0f} steps/s", f"{median(rates) / median(others):.3g} × {name}")


# -------------------------------------------------------------------------------------------------------------- engine


def _engine(addresses: Addresses, number: int, *, workers: int) -> float:
    """Steps a second, from the first visit until everybody is through; all are inside before the workers begin."""
    say(f"engine, {workers} worker(s), round {number + 1} of {ROUNDS}")
    automation = with_database(addresses, lambda: _everybody_inside(f"{workers} {number}"))
    with contextlib.ExitStack() as running:
        for _ in range(workers):
            running.enter_context(process(addresses, "workers"))
        return with_database(addresses, lambda: _rate(automation))


async def _everybody_inside(word: str) -> int:
    by = caller.system(await clock.now())
    automation = await publish.create({"name": f"Bench {word}", "triggers": [], "steps": _ten_steps(word)}, by=by)
    await publish.activate(automation, by=by)
    await _enter_all(automation)
    return automation


async def _rate(automation: int) -> float:
    begun = Sql(
        """
        SELECT EXISTS (
            SELECT
            FROM visit_count vc
            JOIN automation_step s ON s.id = vc.step_id
            WHERE s.automation_id = {id}::bigint
        )
        """,
        id=automation,
    )
    while not await db.value(begun):
        await asyncio.sleep(POLL_SECONDS)
    began = time.perf_counter()
    await _until_all_ended(automation, CONTACTS)
    took = time.perf_counter() - began
    visits = await db.value(
        Sql(
            """
            SELECT count(*)
            FROM visit i
            JOIN automation_step s ON s.id = i.step_id
            WHERE s.automation_id = {automation}::bigint
              AND i.status = 'COMPLETED'
            """,
            automation=automation,
        )
    )
    assert visits == STEPS * CONTACTS, f"{visits} visits"
    say(f"{visits / took:,.0f} steps/s")
    await _until_quiet()
    return visits / took


async def _enter_all(automation: int) -> int:
    """Let everybody in, by pieces, as a job does."""
    first, last = await db.value(Sql("SELECT ARRAY[min(c.id), max(c.id)] FROM contact c"))
    entered = 0
    for start in range(first, last + 1, PIECE):
        some = Sql(
            "SELECT c.id FROM contact c WHERE c.id >= {start}::bigint AND c.id < {beyond}::bigint",
            start=start,
            beyond=start + PIECE,
        )
        entered += len((await entry.enter(some, automation, by=caller.system(await clock.now()))).runs)
    return entered


def _ten_steps(word: str) -> list[dict[str, Any]]:
    """Ten visits a contact, two branches on the way, and a wait."""
    return _line(
        {"id": "a", "do": {"addTag": {"tag": f"a {word}"}}},
        _if("gold", {"tag": {"hasAny": ["tag 1", "tag 2", "tag 3"]}}, "title", "plain"),
        {"id": "title", "do": {"setField": {"name": "jobTitle", "value": f"Gold {word}"}}, "next": "b"},
        {"id": "plain", "do": {"setField": {"name": "jobTitle", "value": f"Plain {word}"}}},
        {"id": "b", "do": {"addTag": {"tag": f"b {word}"}}},
        {"id": "wait", "do": {"waitFor": {"duration": {"seconds": 1}}}},
        _if("again", {"tag": {"hasAny": [f"b {word}"]}}, "untag", "other"),
        {"id": "untag", "do": {"removeTag": {"tag": f"a {word}"}}, "next": "c"},
        {"id": "other", "do": {"removeTag": {"tag": f"b {word}"}}},
        {"id": "c", "do": {"addTag": {"tag": f"c {word}"}}},
        {"id": "unb", "do": {"removeTag": {"tag": f"b {word}"}}},
        {"id": "last", "do": {"setField": {"name": "jobTitle", "value": f"Done {word}"}}},
    )


# -------------------------------------------------------------------------------------------------------------- rivals


def _install_rivals() -> None:
    """Celery and Procrastinate want other versions of what we use: they get an environment of their own, once."""
    if (RIVALS_HOME / "bin" / "celery").exists():
        return
    say("installing Celery and Procrastinate")
    subprocess.run([sys.executable, "-m", "venv", str(RIVALS_HOME)], check=True)
    pip = [str(RIVALS_HOME / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(RIVALS / "requirements.txt")], check=True)


def _rival(addresses: Addresses, name: str) -> float:
    """Steps a second of a job queue, from its worker's first job on; the first jobs wait in the queue before."""
    say(f"{name}, a job a step")
    first, beyond = with_database(addresses, _prepare_rival)
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
        return with_database(addresses, _rival_rate)


async def _prepare_rival() -> tuple[int, int]:
    for statement in RIVAL_TABLES:
        await db.execute(Sql(statement))
    await db.execute(
        Sql(
            "INSERT INTO rival_run SELECT c.id, c.id, 0 FROM contact c ORDER BY c.id LIMIT {count}::integer",
            count=RIVAL_CONTACTS,
        )
    )
    row = await db.row(Sql("SELECT min(r.id) AS first, max(r.id) + 1 AS beyond FROM rival_run r"))
    assert row is not None
    return row["first"], row["beyond"]


RIVAL_TABLES = (
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


async def _rival_rate() -> float:
    done = Sql("SELECT count(*) FROM rival_visit")
    while not await db.value(done):
        await asyncio.sleep(POLL_SECONDS)
    before, began = await db.value(done), time.perf_counter()
    while (now_done := await db.value(done)) < RIVAL_CONTACTS * STEPS:
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


# ---------------------------------------------------------------------------------------------------------- a million


async def _enter_everybody() -> list[Figure]:
    """A million runs, all of them waiting for a month afterwards."""
    say(f"letting {MILLION:,} contacts in")
    automation = await _automation("Everybody", {"waitFor": {"duration": {"days": 30}}})
    began = time.perf_counter()
    entered = await _enter_all(automation)
    took = time.perf_counter() - began
    await db.execute(Sql("UPDATE automation a SET status = 'INACTIVE' WHERE a.id = {id}::bigint", id=automation))
    say(f"{entered / took:,.0f} runs/s")
    return [Figure(f"letting {entered:,} contacts in", f"{took:,.1f} s", f"{entered / took:,.0f} runs/s")]


async def _due_among_waiting() -> list[Figure]:
    """10,000 runs that fall due in the same second, among more and more that wait."""
    figures = []
    for waiting in WAITING:
        say(f"{DUE:,} fall due among {waiting:,} that wait")
        automation = await _automation(f"Waiting {waiting}", {"waitFor": {"duration": {"days": 30}}})
        figures.append(await _due(automation, waiting))
    return figures


async def _due(automation: int, waiting: int) -> Figure:
    first = await db.value(Sql("SELECT min(c.id) FROM contact c"))
    for start in range(0, waiting, PIECE):
        some = Sql(
            "SELECT c.id FROM contact c WHERE c.id >= {start}::bigint AND c.id < {beyond}::bigint",
            start=first + start,
            beyond=first + min(start + PIECE, waiting),
        )
        await entry.enter(some, automation, by=caller.system(await clock.now()))
    while await db.value(_unsettled(automation)):
        await asyncio.sleep(0.1)
    await _until_quiet()
    await db.execute(Sql("VACUUM (ANALYZE) run"))
    at = await clock.now() + timedelta(seconds=3)
    await db.execute(
        Sql(
            """
            UPDATE run r
            SET due_at = {at}::timestamptz
            WHERE r.id = ANY(ARRAY(
                SELECT r.id FROM run r WHERE r.automation_id = {automation}::bigint ORDER BY r.id LIMIT {due}::integer
            ))
            """,
            at=at,
            automation=automation,
            due=DUE,
        )
    )
    # What the visit says of the wait decides: it began a month ago.
    await db.execute(
        Sql(
            """
            UPDATE visit i
            SET entered_at = {at}::timestamptz - interval '30 days'
            FROM run r
            WHERE r.id = i.run_id
              AND r.automation_id = {automation}::bigint
              AND r.due_at = {at}::timestamptz
            """,
            at=at,
            automation=automation,
        )
    )
    ended = Sql(
        "SELECT count(*) FROM run r WHERE r.automation_id = {automation}::bigint AND r.ended_at IS NOT NULL",
        automation=automation,
    )
    while (now := await clock.now()) < at or await db.value(ended) < DUE:
        await asyncio.sleep(POLL_SECONDS)
    took = (now - at).total_seconds()
    await publish.deactivate(automation, by=caller.system(now))
    say(f"{took:,.2f} s")
    return Figure(f"{DUE:,} runs due at once among {waiting:,} waiting", f"{took:,.2f} s", "until the last has moved")


def _unsettled(automation: int) -> Sql:
    return Sql(
        "SELECT EXISTS (SELECT FROM run r WHERE r.automation_id = {automation}::bigint AND NOT r.waiting)",
        automation=automation,
    )


async def _automation(name: str, step: dict[str, Any]) -> int:
    by = caller.system(await clock.now())
    made = await publish.create({"name": name, "triggers": [], "steps": [{"id": "wait", "do": step}]}, by=by)
    await publish.activate(made, by=by)
    return made
