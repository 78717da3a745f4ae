"""Places where a process can be told to die, so that tests can show that nothing is lost or doubled wherever it does.

With `PARCOURS_CRASH_AT=before_enqueue:2`, in test mode alone, the process kills itself (SIGKILL, nothing is tidied up)
when it comes to that place for the second time.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

from kit import config

POINTS = (
    "after_claim",  # work is claimed, nothing of it is done
    "condition_evaluated",  # a rule was looked at, and nobody acted on what it said
    "before_enqueue",  # steps have acted; neither paths nor positions are written
    "timer_written",  # a wait is written, not committed
    "timer_fired_before_commit",  # what a wait's end led to is written, not committed
    "after_enqueue",  # all is committed; no hint was given, no later pass was made
    "form_committed_before_run",  # what somebody sent is committed; no run has begun
    "import_committed_before_mark",  # the rows of a batch are written; the mark behind them is not
    "after_render",  # a message is ready to be sent
    "before_data",  # just before the point of no return
    "after_data",  # just behind it
    "after_sent",  # it is noted that a message was sent; nobody was told
    "webhook_sent_before_recorded",  # another server has heard us; we have not noted it
    "unsubscribe_committed_before_answer",  # somebody left; they have no answer yet
)

_visits: Counter[str] = Counter()


async def point(name: str) -> None:
    """Die here, if this is where and when this process was told to; else nothing."""
    at = config.settings().crash_at
    if at is None:
        return
    assert name in POINTS, name
    _visits[name] += 1
    where, _, nth = at.partition(":")
    if name == where and _visits[name] == int(nth):
        os.kill(os.getpid(), signal.SIGKILL)
