"""A worker process: `python -m workers`. It works until it is told to stop, and then stops within five seconds."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading

import dramatiq.worker
import uvloop

from kit import config, log, memory

IDLE_POLL_MILLISECONDS = 50  # how soon a hint is heard; Dramatiq's own 1,000 are half a second late on average
LOST_BROKER_PAUSE_SECONDS = 0.5
STOP_SECONDS_MAX = 3
TURN_SECONDS = 0.001  # of a thread that reads a file, while the loop waits for PostgreSQL; Python's own 5 ms are felt


def main() -> None:
    """Start, wait for SIGTERM or Ctrl-C, stop."""
    settings = config.settings()
    log.start(settings.log_level, settings.log_format)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    told_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told_to_stop.set())

    from workers.actors import hints

    dramatiq.worker.CONSUMER_RESTART_DELAY_SECS = LOST_BROKER_PAUSE_SECONDS
    worker = dramatiq.Worker(hints, worker_timeout=IDLE_POLL_MILLISECONDS, worker_threads=settings.worker_threads)
    hints.emit_after("process_boot")
    worker.start()
    memory.settle()
    sys.setswitchinterval(TURN_SECONDS)
    log.get("worker").info("worker ready")
    told_to_stop.wait()
    worker.stop(timeout=STOP_SECONDS_MAX * 1000)
    hints.close()
    log.get("worker").info("worker stopped")


if __name__ == "__main__":
    main()
