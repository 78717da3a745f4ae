"""A job is one class in one file: long work on a set, cut in pieces that are each done whole or not at all.

A card in `services/job_kinds/` or `workflows/job_kinds/` says what a piece is: `plan(job)` once at the beginning,
then `piece(job, now)` until it says that nothing is left. Each is one transaction together with the job's mark and
counters, so that whoever is killed leaves a job that goes on exactly where it stood.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from services.caller import Caller
from services.outcome import Outcome


@dataclass(slots=True)
class Job:
    """A job at work. `parameters` stay as they were given; `mark` is the card's own and is kept with each piece."""

    id: int
    kind: str
    parameters: Mapping[str, Any]
    mark: dict[str, Any]
    by: Caller  # who asked for it, at the instant of this piece
    total: int | None = None
    done: int = 0
    unchanged: int = 0
    refused: int = 0
    results: list[tuple[int, str, str]] = field(default_factory=list)  # contact, action, code

    def count(self, *, done: int = 0, unchanged: int = 0, refused: int = 0) -> None:
        """So many more are behind the job; the three add up to what was done so far."""
        self.done += done
        self.unchanged += unchanged
        self.refused += refused

    def settle(self, contacts: Iterable[int], outcomes: Mapping[str, Outcome]) -> None:
        """Count every contact of a piece once by what became of it under these actions: refused, done or unchanged.

        Who was refused anything is told by name with the action and the code, and what else was done stays done.
        """
        everybody, changed, refused = set(contacts), set[int](), set[int]()
        for action, outcome in outcomes.items():
            changed |= outcome.changed
            for code, those in outcome.refused.items():
                refused |= those
                self.results += [(each, action, code) for each in sorted(those)]
        self.count(
            done=len((changed & everybody) - refused),
            unchanged=len(everybody - changed - refused),
            refused=len(everybody & refused),
        )


class Kind(ABC):
    """What every kind of job is made of."""

    kind: ClassVar[str] = ""  # the file name, e.g. bulk_edit
    elsewhere: ClassVar[bool] = False  # its pieces may wait long for other systems: they hold up only their like

    async def plan(self, job: Job) -> None:  # noqa: B027 - not every kind has anything to plan
        """Once, before the first piece: fix the set (`jobs.fix`), or look at what is to be done. Sets `job.total`."""

    @abstractmethod
    async def piece(self, job: Job, now: datetime) -> bool:
        """Do the next piece inside the transaction that is open; whether anything is left to do after it.

        What it raises takes the whole piece back. A refusal ends the job as FAILED with its sentence; anything else is
        tried again a few times.
        """

    async def ended(self, job: Job, now: datetime) -> None:  # noqa: B027 - nor to tidy up
        """The job has come to its end, whichever: tidy up. In the transaction that ends it."""
