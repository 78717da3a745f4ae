"""What processes have used: seconds of the processor, and memory. Read from /proc, so on Linux alone."""

from __future__ import annotations

import os
from pathlib import Path

from kit import db
from kit.sql import Sql

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PARENT, _OWN, _OF_ENDED_CHILDREN = 1, slice(11, 13), slice(13, 15)  # places behind the name in /proc/*/stat


def seconds(pid: int) -> float:
    """Seconds that the process has worked so far."""
    return sum(map(int, _stat(pid)[_OWN])) / _TICKS


def megabytes(pid: int) -> float:
    """Memory that the process holds at the moment: its resident set (RSS)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES / 1_000_000


def seconds_with_children(pid: int) -> float:
    """Seconds that the process, its children and those that have ended have worked so far."""
    used = sum(map(int, _stat(pid)[_OF_ENDED_CHILDREN])) / _TICKS + seconds(pid)
    for other in Path("/proc").iterdir():
        try:
            if other.name.isdigit() and int(_stat(int(other.name))[_PARENT]) == pid:
                used += seconds(int(other.name))
        except OSError:
            continue
    return used


async def postmaster() -> int:
    """The process that all connections to our database are children of."""
    backend = await db.value(Sql("SELECT pg_backend_pid()"))
    return int(_stat(backend)[_PARENT])


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
