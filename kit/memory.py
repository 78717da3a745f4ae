"""Memory: what a process that runs for weeks need not search for garbage, and how much the machine has."""

from __future__ import annotations

import contextlib
import gc
import os
from pathlib import Path

YOUNG_OBJECTS_MAX = 10_000  # before the youngest are searched; Python's own 700 are reached many times in one request
MEGABYTE = 2**20

_OF_THE_CONTAINER = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def settle() -> None:
    """Call once when everything is loaded: modules, the schema, the cards. They will never be garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX)


def machine_megabytes() -> int:
    """How much the machine has, or the container where that may use less."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for limit in _OF_THE_CONTAINER:
        with contextlib.suppress(OSError, ValueError):  # "max": none
            found.append(int(limit.read_text()))
    return min(found) // MEGABYTE
