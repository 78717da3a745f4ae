"""What a worker hears: a hint names a kind of work, and the loop of that kind looks for it in the database."""

from __future__ import annotations

import asyncio

import dramatiq

from kit.broker import NAMESPACE, QUEUE
from workers.broker import hints, schedule

PONG_SECONDS = 10


@dramatiq.actor(queue_name=QUEUE)
async def dispatch() -> None:
    """There are facts to match with triggers."""
    schedule.hear("dispatch")


@dramatiq.actor(queue_name=QUEUE)
async def advance() -> None:
    """There are runs to move on."""
    schedule.hear("advance")


@dramatiq.actor(queue_name=QUEUE)
async def deliver() -> None:
    """There are messages to send."""
    schedule.hear("deliver")


@dramatiq.actor(queue_name=QUEUE)
async def campaigns() -> None:
    """There are campaigns to send."""
    schedule.hear("campaigns")


@dramatiq.actor(queue_name=QUEUE)
async def jobs() -> None:
    """There is long work to do, piece by piece."""
    schedule.hear("jobs")


@dramatiq.actor(queue_name=QUEUE)
async def scores() -> None:
    """There are points to put right."""
    schedule.hear("scores")


@dramatiq.actor(queue_name=QUEUE)
async def ping(answer_to: str) -> None:
    """Somebody asks whether a worker is there (`GET /health`)."""
    await asyncio.to_thread(_answer, f"{NAMESPACE}:pong:{answer_to}")


def _answer(key: str) -> None:
    with hints.client.pipeline() as pipe:
        pipe.lpush(key, "pong")
        pipe.expire(key, PONG_SECONDS)
        pipe.execute()
