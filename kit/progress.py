"""How far long work has come: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from kit import clock

SECONDS_BETWEEN_LINES = 5

Show = Callable[[int, str], None]


@contextlib.contextmanager
def shown(what: str, total: int, *, done: int = 0) -> Iterator[Show]:
    """Gives a function to call with how many of `total` are done and a few words about them. Speaks to stderr."""
    if not sys.stderr.isatty():
        yield _lines(what, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total, completed=done, words="")
        yield lambda done, words: bar.update(task, completed=done, words=words)


def _lines(what: str, total: int) -> Show:
    told = clock.ticks()

    def show(done: int, words: str) -> None:
        nonlocal told
        if clock.ticks() - told >= SECONDS_BETWEEN_LINES:
            told = clock.ticks()
            print(f"{what}: {done:,} of {total:,} ({words})", file=sys.stderr, flush=True)  # noqa: T201

    return show
