"""The engine at scale: 200,000 contacts through ten steps beside job queues, a million let in, a million waiting."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import Any

from bench import rival_queues, waiting
from bench.journey import completed_visits, enter_all, if_, line, until_all_ended, until_quiet
from bench.lab import Figure, median, process, say, servers, with_database
from bench.messages import messages_a_second
from bench.people import fill
from kit import clock, db
from kit.datafolder import Addresses
from kit.sql import Sql
from services import caller
from workflows import publish

CONTACTS = int(os.environ.get("PARCOURS_BENCH_CONTACTS", "200000"))
STEPS = 10
ROUNDS = int(os.environ.get("PARCOURS_BENCH_ROUNDS", "2"))
POLL_SECONDS = 0.02


def measure() -> list[Figure]:
    """Steps a second by one worker and by two, beside messages and jobs; entering a million; what is due among many."""
    rival_queues.install()
    one, two, messages, celery, procrastinate = [], [], [], [], []
    with servers() as addresses:
        say(f"storing {CONTACTS:,} contacts")
        with_database(addresses, lambda: fill(CONTACTS))
        for number in range(ROUNDS):
            one.append(_engine(addresses, number, workers=1))
            messages.append(messages_a_second(addresses, chained=False))
            two.append(_engine(addresses, number, workers=2))
            celery.append(rival_queues.steps_a_second(addresses, "celery"))
            procrastinate.append(rival_queues.steps_a_second(addresses, "procrastinate"))
    figures = [
        _beside("ten steps, one worker", one, messages, "messages"),
        _beside("ten steps, two workers", two, one, "one worker"),
        Figure("one no-op Dramatiq message a step", f"{median(messages):,.0f} steps/s"),
        _beside("Celery, a job a step", celery, one, "the engine"),
        _beside("Procrastinate, a job a step", procrastinate, one, "the engine"),
    ]
    with servers() as addresses:
        say(f"storing {waiting.MILLION:,} contacts")
        with_database(addresses, lambda: fill(waiting.MILLION))
        figures += with_database(addresses, waiting.enter_everybody)
        with process(addresses, "workers"):
            figures += with_database(addresses, waiting.due_among_waiting)
    return figures


def _beside(what: str, rates: list[float], others: list[float], name: str) -> Figure:
    return Figure(what, f"{median(rates):,.0f} steps/s", f"{median(rates) / median(others):.3g} × {name}")


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
    await enter_all(automation)
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
    await until_all_ended(automation, CONTACTS)
    took = time.perf_counter() - began
    visits = await completed_visits(automation)
    assert visits == STEPS * CONTACTS, f"{visits} visits"
    say(f"{visits / took:,.0f} steps/s")
    await until_quiet()
    return visits / took


def _ten_steps(word: str) -> list[dict[str, Any]]:
    """Ten visits a contact, two branches on the way, and a wait."""
    return line(
        {"id": "a", "do": {"addTag": {"tag": f"a {word}"}}},
        if_("gold", {"tag": {"hasAny": ["tag 1", "tag 2", "tag 3"]}}, "title", "plain"),
        {"id": "title", "do": {"setField": {"name": "jobTitle", "value": f"Gold {word}"}}, "next": "b"},
        {"id": "plain", "do": {"setField": {"name": "jobTitle", "value": f"Plain {word}"}}},
        {"id": "b", "do": {"addTag": {"tag": f"b {word}"}}},
        {"id": "wait", "do": {"waitFor": {"duration": {"seconds": 1}}}},
        if_("again", {"tag": {"hasAny": [f"b {word}"]}}, "untag", "other"),
        {"id": "untag", "do": {"removeTag": {"tag": f"a {word}"}}, "next": "c"},
        {"id": "other", "do": {"removeTag": {"tag": f"b {word}"}}},
        {"id": "c", "do": {"addTag": {"tag": f"c {word}"}}},
        {"id": "unb", "do": {"removeTag": {"tag": f"b {word}"}}},
        {"id": "last", "do": {"setField": {"name": "jobTitle", "value": f"Done {word}"}}},
    )
