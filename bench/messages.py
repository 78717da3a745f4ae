"""A no-op Dramatiq message for each step: what the engine is measured against."""

from __future__ import annotations

import os
import time

from bench.lab import bar, process, say, wait_until
from kit import broker
from kit.datafolder import Addresses

MESSAGES = 20_000
CHAIN = 5  # messages that follow one another; `bench.noop` ends there
POLL_SECONDS = 0.05


def messages_a_second(addresses: Addresses, *, chained: bool) -> float:
    """Messages a second. They all wait in the queue before the worker begins; chained, only each contact's first."""
    say("messages, each sending the next" if chained else "messages that do nothing")
    os.environ["REDIS_URL"] = addresses.redis_url
    from bench import noop

    noop.steps.client = client = broker.client(addresses.redis_url)
    key = f"{noop.NAMESPACE}:{noop.QUEUE}.msgs"
    sent = MESSAGES // CHAIN if chained else MESSAGES
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
