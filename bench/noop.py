"""The usual design at its ceiling: one Dramatiq message a step, to an actor that does nothing at all."""

from __future__ import annotations

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from kit import broker, config

NAMESPACE = "bench"
QUEUE = "steps"
STEPS = 5

steps = RedisBroker(
    client=broker.client(config.settings().broker_url()),
    namespace=NAMESPACE,
    heartbeat_timeout=broker.HEARTBEAT_MILLISECONDS,
    maintenance_chance=broker.MAINTENANCE_PER_MILLION,
    middleware=[],
)
dramatiq.set_broker(steps)


@dramatiq.actor(queue_name=QUEUE)
def step(run_id: int, number: int) -> None:
    """One step of one contact."""


@dramatiq.actor(queue_name=QUEUE)
def step_and_next(run_id: int, number: int) -> None:
    """One step of one contact, which also sends the message of the next one."""
    if number < STEPS:
        step_and_next.send(run_id, number + 1)
