"""The supervisor: whoever dies comes back, ever more slowly, and all stop in order."""

from __future__ import annotations

import sys
import time

from kit import children
from kit.programs import NotStarted
from kit.supervisor import Service, Supervisor

FOR_EVER = [sys.executable, "-c", "import time; time.sleep(60)"]
AT_ONCE = [sys.executable, "-c", "pass"]


def _watch(supervisor: Supervisor, seconds: float) -> int:
    replaced, end = 0, time.monotonic() + seconds

    def changed() -> None:
        nonlocal replaced
        replaced += 1

    supervisor.watch(changed, until=lambda: time.monotonic() > end)
    return replaced


def test_a_killed_child_is_started_again():
    supervisor, service = Supervisor(), Service("sleeper", lambda: children.spawn(FOR_EVER))
    supervisor.add(service)
    first = service.child
    first.kill()
    assert _watch(supervisor, 0.8) == 1
    assert service.child is not first
    assert service.child.poll() is None
    supervisor.stop()
    assert service.child.poll() is not None


def test_a_child_that_ends_at_once_is_started_ever_more_slowly():
    supervisor = Supervisor()
    supervisor.add(Service("hasty", lambda: children.spawn(AT_ONCE)))
    assert 1 <= _watch(supervisor, 1.5) <= 3  # after 0.2, 0.4 and 0.8 seconds
    supervisor.stop()


def test_a_start_that_fails_is_tried_again():
    outcomes = [None, NotStarted("no"), None]

    def start() -> children.Child:
        if outcome := outcomes.pop(0):
            raise outcome
        return children.spawn(AT_ONCE if len(outcomes) == 2 else FOR_EVER)

    supervisor, service = Supervisor(), Service("stubborn", start)
    supervisor.add(service)
    _watch(supervisor, 1.5)
    assert outcomes == []
    assert service.child.poll() is None
    supervisor.stop()


def test_the_last_that_started_stops_first(monkeypatch):
    supervisor = Supervisor()
    first, second = (Service(name, lambda: children.spawn(FOR_EVER)) for name in ("first", "second"))
    supervisor.add(first)
    supervisor.add(second)
    ended, finish = [], children.finish
    monkeypatch.setattr(children, "finish", lambda child, seconds: (ended.append(child), finish(child, seconds)))
    supervisor.stop()
    assert ended == [second.child, first.child]
