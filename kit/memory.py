"""Memory of a process that runs for weeks: what is there at its start is not searched for garbage again and again."""

from __future__ import annotations

import gc

YOUNG_OBJECTS_MAX = 10_000  # before the youngest are searched; Python's own 700 are reached many times in one request


def settle() -> None:
    """Call once when everything is loaded: modules, the schema, the cards. They will never be garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX)
