"""How often something may be done: a bucket on Valkey that empties steadily (GCRA), shared by all web processes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from kit import clock, log

TIMEOUT_SECONDS = 0.5
PAUSE_SECONDS = 1

# The one number kept is the instant at which the bucket will be empty, by Valkey's own clock, in microseconds.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local empty_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0)) + interval
local wait = empty_at - burst * interval - now
if wait > 0 then
    return math.ceil(wait)
end
redis.call('SET', KEYS[1], string.format('%.0f', empty_at), 'PX', math.ceil((empty_at - now) / 1000))
return 0
"""

_log = log.get("limiter")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a minute on average, and so many at once."""

    per_minute: int
    burst: int


class Limiter:
    """Counts on Valkey. While Valkey is away everything is let through: people matter more than the count."""

    def __init__(self, url: str) -> None:
        self._valkey = redis.asyncio.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )
        self._script = self._valkey.register_script(_SCRIPT)
        self._silent_until = 0.0

    async def wait(self, key: str, rate: Rate) -> float:
        """Do it once under this key: 0, or the seconds after which one may try again."""
        if clock.ticks() < self._silent_until:
            return 0
        try:
            async with asyncio.timeout(2 * TIMEOUT_SECONDS):
                interval = 60_000_000 // rate.per_minute
                return await self._script(keys=[f"parcours:rate:{key}"], args=[interval, rate.burst]) / 1_000_000
        except (RedisError, OSError, TimeoutError) as error:
            self._silent_until = clock.ticks() + PAUSE_SECONDS
            _log.warning("nothing is counted", error=type(error).__name__)
            return 0

    async def close(self) -> None:
        await self._valkey.aclose()
