"""The doorbell between processes: hints on Valkey that there is work of a kind. Losing one changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from kit import clock, log

if TYPE_CHECKING:
    from dramatiq import Middleware
    from dramatiq.brokers.redis import RedisBroker

NAMESPACE = "parcours"
QUEUE = "hints"
SOCKET_TIMEOUT_SECONDS = 1
PAUSE_SECONDS = 1
HEARTBEAT_MILLISECONDS = 15_000
MAINTENANCE_PER_MILLION = 50_000

_log = log.get("broker")


def client(url: str) -> redis.Redis:
    """A connection to Valkey that gives up after a second; `unix:///path/to/socket` is an address too."""
    return redis.Redis.from_url(
        url,
        socket_timeout=SOCKET_TIMEOUT_SECONDS,
        socket_connect_timeout=SOCKET_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),  # the connection of before a restart of Valkey fails once
    )


def build(url: str, middleware: Sequence[Middleware] = ()) -> RedisBroker:
    """The one place that makes a Dramatiq broker. Nothing is connected yet."""
    from dramatiq.brokers.redis import RedisBroker

    return RedisBroker(
        client=client(url),
        namespace=NAMESPACE,
        heartbeat_timeout=HEARTBEAT_MILLISECONDS,
        maintenance_chance=MAINTENANCE_PER_MILLION,
        middleware=list(middleware),
    )


def client_for_waiting(broker: RedisBroker, seconds: float) -> redis.Redis:
    """A connection beside the broker's that may wait this long for an answer. Close it."""
    options = broker.client.connection_pool.connection_kwargs | {"socket_timeout": seconds + SOCKET_TIMEOUT_SECONDS}
    kind = broker.client.connection_pool.connection_class
    return redis.Redis.from_pool(redis.ConnectionPool(connection_class=kind, **options))


class Doorbell:
    """Sends hints by name, a name at most once at a time, without keeping anybody waiting.

    `kit.bell.hang(doorbell.ring)`. While Valkey is away one hint a second is tried and the others are dropped.
    """

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker
        self._waiting: set[str] = set()
        self._line = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._silent_until = 0.0

    async def ring(self, name: str) -> None:
        """The actor of this name will hear of it; returns at once."""
        if name in self._waiting or clock.ticks() < self._silent_until:
            return
        self._waiting.add(name)
        task = asyncio.create_task(self._send(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let the last hints go out."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2 * SOCKET_TIMEOUT_SECONDS)
        await asyncio.to_thread(self._broker.client.close)

    async def _send(self, name: str) -> None:
        async with self._line:
            self._waiting.discard(name)  # whoever rings from here on is told once more
            if clock.ticks() < self._silent_until:
                return
            try:
                await asyncio.to_thread(send, self._broker, name)
            except (redis.RedisError, OSError) as error:
                self._silent_until = clock.ticks() + PAUSE_SECONDS
                _log.warning("hint not sent", hint=name, error=type(error).__name__)


def send(broker: RedisBroker, name: str, *arguments: str) -> None:
    """Send a message to the actor of this name; blocks for as long as Valkey takes, at most two seconds."""
    from dramatiq import Message

    broker.enqueue(Message(queue_name=QUEUE, actor_name=name, args=arguments, kwargs={}, options={}))
