"""How long to wait for live processes: longer than on a machine of one's own where many want its cores."""

from __future__ import annotations

import os

PATIENCE_SECONDS = 240  # until a test gives up; it looks often, so that nobody waits longer than needed


def shared(seconds: float) -> float:
    """What these seconds are on this machine at its present load."""
    return seconds * (1 + os.getloadavg()[0] / (os.cpu_count() or 1))
