"""Keeps a handful of children running: whoever dies is started again, and one signal stops them all in order."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kit import children, log
from kit.children import Child
from kit.programs import NotStarted

POLL_SECONDS = 0.1
BACKOFF_SECONDS_MIN = 0.2
BACKOFF_SECONDS_MAX = 5.0
WELL_AFTER_SECONDS = 30.0  # a child that ran this long starts again at the shortest pause

_log = log.get("supervisor")


@dataclass
class Service:
    """One child: how it is started, how it is stopped, and how often it had to be started lately."""

    name: str
    start: Callable[[], Child | None]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 6.0
    child: Child | None = None
    _pause: float = field(default=BACKOFF_SECONDS_MIN, init=False)
    _began: float = field(default=0.0, init=False)
    _again_at: float | None = field(default=None, init=False)

    def begin(self) -> None:
        """Start it now; what it raises is the caller's."""
        self._began = time.monotonic()
        self.child = self.start()

    def look(self) -> bool:
        """Start it again if it has died and its pause is over. Returns whether it has a new child."""
        if self._again_at is None:
            if self.child is not None and self.child.poll() is None:
                return False
            code = self.child.returncode if self.child else None
            if time.monotonic() - self._began > WELL_AFTER_SECONDS:
                self._pause = BACKOFF_SECONDS_MIN
            _log.warning("child ended, starting again", child=self.name, code=code, pause=self._pause)
            self._again_at = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, BACKOFF_SECONDS_MAX)
        if time.monotonic() < self._again_at:
            return False
        self._again_at = None
        try:
            self.begin()
        except (NotStarted, OSError) as error:
            self.child = None
            _log.error("child did not start", child=self.name, why=str(error))
        return self.child is not None


class Supervisor:
    """Services in the order they need each other: `[Postgres], [Valkey], [web, workers]`; stopped the other way."""

    def __init__(self) -> None:
        self._ranks: list[list[Service]] = []
        self._stopping = False

    @property
    def services(self) -> list[Service]:
        return [service for rank in self._ranks for service in rank]

    @property
    def stopping(self) -> bool:
        """Whether somebody asked us to stop."""
        return self._stopping

    def hear_signals(self) -> None:
        """From now on SIGTERM, Ctrl-C and a closed terminal ask to stop, instead of killing us."""
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self._ask)

    def add(self, *rank: Service) -> None:
        """Start services that may start side by side."""
        self._ranks.append(list(rank))
        for service in rank:
            service.begin()

    def watch(self, changed: Callable[[], None], until: Callable[[], bool] = lambda: False) -> None:
        """Start again what dies, until `until` is true or somebody asks to stop.

        `changed` is called when a child was replaced.
        """
        while not self._stopping and not until():
            replaced = [service for service in self.services if service.look()]
            if replaced:
                changed()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Stop everything, the last rank first, those of a rank side by side."""
        for rank in reversed(self._ranks):
            alive = [service for service in rank if service.child is not None and service.child.poll() is None]
            for service in alive:
                assert service.child is not None
                service.child.send_signal(service.stop_signal)
            for service in alive:
                assert service.child is not None
                children.finish(service.child, service.stop_seconds)
        self._ranks.clear()

    def _ask(self, *_: object) -> None:
        self._stopping = True
