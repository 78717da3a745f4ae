"""The broker of a worker process: what happens around every message and when the process starts and stops."""

from __future__ import annotations

from collections.abc import Coroutine

import dramatiq
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import AgeLimit, AsyncIO, Middleware, MiddlewareError, Retries

from kit import broker, config
from workers.schedule import Schedule

HINT_AGE_MAX_MILLISECONDS = 60_000  # what is older, the tick has found long ago


class NoDatabase(MiddlewareError):
    """A worker without its pool must not start; Dramatiq would otherwise log it and go on."""


class Engine(Middleware):
    """Opens the database and starts the loops on the worker's own event loop; stops them before it ends."""

    def before_worker_boot(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        try:
            _on_the_loop(schedule.start())
        except Exception as error:
            raise NoDatabase(type(error).__name__) from error

    def before_worker_shutdown(self, _broker: dramatiq.Broker, _worker: dramatiq.Worker) -> None:
        _on_the_loop(schedule.stop())


def _on_the_loop(work: Coroutine[None, None, None]) -> None:
    """Do it on the event loop of this process's actors, and wait for it."""
    thread = get_event_loop_thread()
    assert thread is not None, "AsyncIO stands before Engine in the list"
    thread.run_coroutine(work)


schedule = Schedule()
hints = broker.build(
    config.settings().broker_url(),
    [AgeLimit(max_age=HINT_AGE_MAX_MILLISECONDS), Retries(max_retries=0), AsyncIO(), Engine()],
)
dramatiq.set_broker(hints)
