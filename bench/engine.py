"""The engine: 50,000 contacts through five steps, against a Dramatiq message a step; one worker process each."""

from __future__ import annotations

import asyncio
import os
import time
from itertools import pairwise
from typing import Any

from bench.lab import Figure, bar, median, process, say, servers, wait_until, with_database
from bench.people import fill
from kit import broker, clock, db
from kit.datafolder import Addresses
from kit.sql import Sql, ids
from services import caller
from workflows import entry, publish

CONTACTS = 50_000
STEPS = 5
MESSAGES = 20_000
ROUNDS = 3
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 300


def measure() -> list[Figure]:
    """Steps a second of the engine and of messages, interleaved; medians."""
    waits, instant, messages, chained = [], [], [], []
    with servers() as addresses:
        say(f"storing {CONTACTS:,} contacts")
        with_database(addresses, lambda: fill(CONTACTS))
        for number in range(ROUNDS):
            waits.append(_engine(addresses, number, "with a wait of a second", _with_a_wait(number)))
            messages.append(_messages(addresses, chained=False))
            chained.append(_messages(addresses, chained=True))
            instant.append(_engine(addresses, number, "of instant steps", _of_instant_steps(number)))
    ceiling = median(messages)
    entries = median([entering for _, entering in waits + instant])
    return [
        _figure("five steps, a wait among them", [rate for rate, _ in waits], ceiling),
        _figure("five instant steps", [rate for rate, _ in instant], ceiling),
        Figure("entering, 50,000 contacts at once", f"{entries:,.0f} runs/s"),
        Figure("one no-op Dramatiq message a step", f"{ceiling:,.0f} steps/s"),
        Figure("the same, each message sends the next", f"{median(chained):,.0f} steps/s"),
    ]


def _figure(what: str, rates: list[float], ceiling: float) -> Figure:
    return Figure(what, f"{median(rates):,.0f} steps/s", f"{median(rates) / ceiling:.1f} × messages")


# ------------------------------------------------------------------------------------------------------------ engine


def _engine(addresses: Addresses, number: int, what: str, steps: list[dict[str, Any]]) -> tuple[float, float]:
    say(f"engine, automation {what}, round {number + 1} of {ROUNDS}")
    with process(addresses, "workers"):
        return with_database(addresses, lambda: _lead_everybody(steps))


async def _lead_everybody(steps: list[dict[str, Any]]) -> tuple[float, float]:
    """Steps a second from the moment everybody is in until everybody is through, and entries a second."""
    by = caller.system(await clock.now())
    automation = await publish.create({"name": "Bench", "triggers": [], "steps": steps}, by=by)
    await publish.activate(automation, by=by)
    someone = await db.value(Sql("SELECT min(c.id) FROM contact c"))
    await entry.enter(ids([someone]), automation, by=caller.system(await clock.now()))
    await _until_all_ended(automation, 1)
    began = time.perf_counter()
    everybody = Sql("SELECT c.id FROM contact c WHERE c.id > {someone}::bigint", someone=someone)
    entered = await entry.enter(everybody, automation, by=caller.system(await clock.now()))
    inside = time.perf_counter()
    await _until_all_ended(automation, len(entered.runs))
    ended = time.perf_counter()
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
    await _until_quiet()
    return STEPS * len(entered.runs) / (ended - inside), len(entered.runs) / (inside - began)


async def _until_all_ended(automation: int, total: int) -> None:
    # By what is counted as runs end: looking at the runs themselves twenty times a second is a tenth of the work.
    waiting = Sql(
        """
        SELECT {total}::bigint - coalesce(sum(rc.n), 0)::bigint
        FROM run_count rc
        WHERE rc.automation_id = {automation}::bigint
          AND rc.end_reason IS NOT NULL
        """,
        automation=automation,
        total=total,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left := await db.value(waiting):
        assert time.monotonic() < deadline, f"{left} runs have not ended"
        bar(total - left, total, f"{total - left:,} of {total:,} contacts are through")
        await asyncio.sleep(POLL_SECONDS)
    bar(total, total, f"{total:,} contacts are through")


async def _until_quiet() -> None:
    """The worker has looked at every fact, so that the next measurement has the machine for itself."""
    while await db.value(Sql("SELECT count(*) FROM pending_event")):
        await asyncio.sleep(POLL_SECONDS)


def _line(*steps: dict[str, Any]) -> list[dict[str, Any]]:
    for each, following in pairwise(steps):
        each.setdefault("next", following["id"])
    return list(steps)


def _if(key: str, rule: dict[str, Any], yes: str, no: str) -> dict[str, Any]:
    branches = [{"name": "YES", "next": yes}, {"name": "NO", "next": no}]
    return {"id": key, "do": {"ifElse": {"where": rule}}, "branches": branches, "next": None}


def _with_a_wait(number: int) -> list[dict[str, Any]]:
    return _line(
        {"id": "tag", "do": {"addTag": {"tag": f"waiting {number}"}}},
        _if("rule", {"tag": {"hasAny": ["tag 1", "tag 2", "tag 3"]}}, "gold", "silver"),
        {"id": "gold", "do": {"setField": {"name": "jobTitle", "value": f"Gold {number}"}}, "next": "wait"},
        {"id": "silver", "do": {"setField": {"name": "jobTitle", "value": f"Silver {number}"}}},
        {"id": "wait", "do": {"waitFor": {"duration": {"seconds": 1}}}},
        {"id": "untag", "do": {"removeTag": {"tag": f"waiting {number}"}}},
    )


def _of_instant_steps(number: int) -> list[dict[str, Any]]:
    return _line(
        {"id": "tag", "do": {"addTag": {"tag": f"instant {number}"}}},
        {"id": "title", "do": {"setField": {"name": "jobTitle", "value": f"Iron {number}"}}},
        _if("rule", {"tag": {"hasAny": ["tag 1", "tag 2", "tag 3"]}}, "untag", "other"),
        {"id": "untag", "do": {"removeTag": {"tag": f"instant {number}"}}, "next": "name"},
        {"id": "other", "do": {"addTag": {"tag": f"other {number}"}}},
        {"id": "name", "do": {"setField": {"name": "firstName", "value": f"Ada {number}"}}},
    )


# ---------------------------------------------------------------------------------------------------------- messages


def _messages(addresses: Addresses, *, chained: bool) -> float:
    """Messages a second. They all wait in the queue before the worker begins; chained, only each contact's first."""
    say("messages, each sending the next" if chained else "messages that do nothing")
    os.environ["REDIS_URL"] = addresses.redis_url
    from bench import noop

    noop.steps.client = client = broker.client(addresses.redis_url)
    key = f"{noop.NAMESPACE}:{noop.QUEUE}.msgs"
    sent = MESSAGES // STEPS if chained else MESSAGES
    actor = noop.step_and_next if chained else noop.step
    for number in range(sent):
        actor.send(number, 1)
    words = ["dramatiq", "bench.noop", "--processes", "1", "--skip-logging"]
    with process(addresses, *words, dramatiq_worker_timeout="50"):
        wait_until(lambda: bool(client.keys(f"{noop.NAMESPACE}:__acks__*")), "the first message")
        began = time.perf_counter()
        while left := client.hlen(key):
            bar(sent - left, sent, f"{sent - left:,} of {sent:,} are through")
            time.sleep(POLL_SECONDS)
        ended = time.perf_counter()
        bar(1, 1, "all messages are through")
    return MESSAGES / (ended - began)
