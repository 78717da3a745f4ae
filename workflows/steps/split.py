"""Send contacts along several paths: evenly, by shares, until one path has won, or until something is reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, ClassVar

from kit.card import Name, Range
from kit.errors import Problem
from segments.reading import Reading
from segments.rule import Rule
from workflows import civil, splits
from workflows.batch import Batch, Run
from workflows.step import Step

PATHS_LEAST, PATHS_MOST = 2, 10
NUMBER_MOST = 1_000_000_000


class SplitMode(Enum):
    """EVEN and PERCENT go on for ever. TEST divides evenly until its end, then all take the path that did best. UNTIL
    sends all along the first path until its end, and all later ones along the second."""

    EVEN = "EVEN"
    PERCENT = "PERCENT"
    TEST = "TEST"
    UNTIL = "UNTIL"


@dataclass(frozen=True)
class SplitPath:
    """One way out. `share` in percent, for PERCENT alone."""

    name: Name
    share: Annotated[int, Range(1, 99)] | None = None


@dataclass(frozen=True)
class SplitEnd:
    """When a TEST or UNTIL ends: at an instant ("2026-11-22T09:30:00+01:00"), when so many were sent, or when the
    split's `where` holds for so many of them (TEST: on all paths together; UNTIL: of those on the first path)."""

    at: str | None = None
    number: Annotated[int, Range(1, NUMBER_MOST)] | None = None
    matching: Annotated[int, Range(1, NUMBER_MOST)] | None = None

    choose: ClassVar[str] = "one"

    def faults(self) -> Iterator[Problem]:
        if self.at is not None and civil.read_instant(self.at) is None:
            message = 'Give a time with its offset from UTC, as "2026-11-22T09:30:00+01:00".'
            yield Problem("WRONG_TYPE", message, ("at",))

    @property
    def instant(self) -> datetime | None:
        return None if self.at is None else civil.read_instant(self.at)


@dataclass(frozen=True)
class Split(Step):
    """A contact keeps its path whenever it comes by. The best path of a TEST is the one with the most contacts for whom
    `where` holds; of equals, the first. What somebody went through cannot be changed any more (SPLIT_IN_PROGRESS)."""

    mode: SplitMode
    paths: list[SplitPath]
    until: SplitEnd | None = None
    where: Rule | None = None

    examples: ClassVar = (
        {"mode": "EVEN", "paths": [{"name": "A"}, {"name": "B"}]},
        {"mode": "PERCENT", "paths": [{"name": "A", "share": 70}, {"name": "B", "share": 30}]},
        {
            "mode": "TEST",
            "paths": [{"name": "A"}, {"name": "B"}, {"name": "C"}],
            "until": {"matching": 100},
            "where": {"tag": {"hasAny": ["buyer"]}},
        },
        {"mode": "UNTIL", "paths": [{"name": "A"}, {"name": "B"}], "until": {"number": 50}},
    )

    async def apply(self, batch: Batch) -> None:
        # By the runs' numbers, so that the same contacts are always sent the same ways.
        contacts = [run.contact_id for run in sorted(batch.runs, key=lambda run: run.id)]
        path_of = await splits.send(
            self.plan(), contacts, automation_id=batch.automation_id, step_key=batch.place.key, now=batch.now
        )
        taking: dict[str, list[Run]] = defaultdict(list)
        for run in batch.runs:
            taking[path_of[run.contact_id]].append(run)
        for path, runs in taking.items():
            batch.complete(runs, branch=path)

    def plan(self) -> splits.Plan:
        end = self.until or SplitEnd()
        return splits.Plan(
            paths=self.ways_out(),
            weights=tuple(path.share or 1 for path in self.paths),
            one_way=self.mode is SplitMode.UNTIL,
            at=end.instant,
            number=end.number,
            matching=end.matching,
            where=self.where,
        )

    def ways_out(self) -> tuple[str, ...]:
        return tuple(path.name for path in self.paths)

    def faults(self) -> Iterator[Problem]:
        """What is wrong with the whole; its paths are below the card."""
        ends = self.mode in (SplitMode.TEST, SplitMode.UNTIL)
        names = self.ways_out()
        if not PATHS_LEAST <= len(names) <= PATHS_MOST:
            yield Problem("OUT_OF_RANGE", f"Give {PATHS_LEAST} to {PATHS_MOST} paths.", ("paths",))
        elif self.mode is SplitMode.UNTIL and len(names) != 2:
            yield Problem("OUT_OF_RANGE", "Give two paths: the one before the end, and the one after it.", ("paths",))
        for number, name in enumerate(names):
            if name in names[:number]:
                yield Problem("DUPLICATE", f"There are two paths {name}.", ("paths", str(number), "name"))
        yield from self._share_faults()
        if ends and self.until is None:
            yield Problem("REQUIRED", f"Say when {self.mode.value} ends.", ("until",))
        if not ends and self.until is not None:
            yield Problem("INVALID_VALUE", f"{self.mode.value} has no end.", ("until",))
        if not ends and self.where is not None:
            yield Problem("INVALID_VALUE", f"{self.mode.value} asks for no rule.", ("where",))
        if self.until is not None and self.until.matching is not None and self.where is None:
            yield Problem("REQUIRED", "Say which contacts count.", ("where",))

    def _share_faults(self) -> Iterator[Problem]:
        shares = [path.share for path in self.paths]
        if self.mode is not SplitMode.PERCENT:
            for number, share in enumerate(shares):
                if share is not None:
                    message = f"{self.mode.value} has no shares."
                    yield Problem("INVALID_VALUE", message, ("paths", str(number), "share"))
        elif None in shares:
            yield Problem("REQUIRED", "Give every path its share.", ("paths", str(shares.index(None)), "share"))
        elif (whole := sum(share or 0 for share in shares)) != 100:
            yield Problem("INVALID_VALUE", f"The shares add up to {whole}, not to 100.", ("paths",))

    def problems(self, reading: Reading) -> Iterable[Problem]:
        return () if self.where is None else self.where.problems(reading, ("where",))

    def describe(self) -> str:
        words = ", ".join(f"{path.name} {path.share} %" if path.share else path.name for path in self.paths)
        return f"Split: {words}"[:200]
