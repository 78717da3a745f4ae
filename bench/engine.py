"""The engine: 50,000 contacts through five steps, against a Dramatiq message a step; one worker process each."""

from __future__ import annotations

import time
from typing import Any

from bench.journey import completed_visits, if_, line, until_all_ended, until_quiet
from bench.lab import Figure, median, process, say, servers, with_database
from bench.messages import messages_a_second
from bench.people import fill
from kit import clock, db
from kit.datafolder import Addresses
from kit.sql import Sql, ids
from services import caller
from workflows import entry, publish

CONTACTS = 50_000
STEPS = 5
ROUNDS = 3


def measure() -> list[Figure]:
    """Steps a second of the engine and of messages, interleaved; medians."""
    waits, instant, messages, chained = [], [], [], []
    with servers() as addresses:
        say(f"storing {CONTACTS:,} contacts")
        with_database(addresses, lambda: fill(CONTACTS))
        for number in range(ROUNDS):
            waits.append(_engine(addresses, number, "with a wait of a second", _with_a_wait(number)))
            messages.append(messages_a_second(addresses, chained=False))
            chained.append(messages_a_second(addresses, chained=True))
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
    await until_all_ended(automation, 1)
    began = time.perf_counter()
    everybody = Sql("SELECT c.id FROM contact c WHERE c.id > {someone}::bigint", someone=someone)
    entered = await entry.enter(everybody, automation, by=caller.system(await clock.now()))
    inside = time.perf_counter()
    await until_all_ended(automation, 1 + len(entered.runs))
    ended = time.perf_counter()
    visits = await completed_visits(automation)
    assert visits == STEPS * CONTACTS, f"{visits} visits"
    await until_quiet()
    return STEPS * len(entered.runs) / (ended - inside), len(entered.runs) / (inside - began)


def _with_a_wait(number: int) -> list[dict[str, Any]]:
    return line(
        {"id": "tag", "do": {"addTag": {"tag": f"waiting {number}"}}},
        if_("rule", {"tag": {"hasAny": ["tag 1", "tag 2", "tag 3"]}}, "gold", "silver"),
        {"id": "gold", "do": {"setField": {"name": "jobTitle", "value": f"Gold {number}"}}, "next": "wait"},
        {"id": "silver", "do": {"setField": {"name": "jobTitle", "value": f"Silver {number}"}}},
        {"id": "wait", "do": {"waitFor": {"duration": {"seconds": 1}}}},
        {"id": "untag", "do": {"removeTag": {"tag": f"waiting {number}"}}},
    )


def _of_instant_steps(number: int) -> list[dict[str, Any]]:
    return line(
        {"id": "tag", "do": {"addTag": {"tag": f"instant {number}"}}},
        {"id": "title", "do": {"setField": {"name": "jobTitle", "value": f"Iron {number}"}}},
        if_("rule", {"tag": {"hasAny": ["tag 1", "tag 2", "tag 3"]}}, "untag", "other"),
        {"id": "untag", "do": {"removeTag": {"tag": f"instant {number}"}}, "next": "name"},
        {"id": "other", "do": {"addTag": {"tag": f"other {number}"}}},
        {"id": "name", "do": {"setField": {"name": "firstName", "value": f"Ada {number}"}}},
    )
