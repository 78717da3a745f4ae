"""Advance: lead everybody who is due as far as they can go, a thousand contacts in one transaction.

All of it is committed at once or not at all, so that every effect inside the database happens exactly once, whatever
dies in between. Work that is left over is found by the next pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from kit import bell, crash, db, log
from kit.errors import Refused
from services import caller
from workflows import claim, graph, locks
from workflows.batch import Batch, Run, Verdict
from workflows.graph import Graph, Place
from workflows.halves import in_halves, passes
from workflows.journal import Journal

RUNS_MAX = 1_000  # in one transaction
AUTOMATIONS_MAX = 20  # in one pass
MOVES_MAX = 200  # steps of one run without a wait (domain 2.13)
ATTEMPTS_MAX = 3  # tries of a step that raises
MISSING = {"NOT_FOUND", "UNKNOWN_FIELD"}  # refusals that mean: what the step is about is gone

_log = log.get(__name__)


async def pass_(now: datetime) -> int:
    """Move what is due at `now`; the number of runs that were moved, 0 when nothing was due."""
    moved = 0
    for automation_id in await claim.automations_due(now, count_max=AUTOMATIONS_MAX):
        try:
            moved += await advance(automation_id, now)
        except Exception as error:
            if passes(error):
                raise
            _log.error("automation_stuck", automation=automation_id, exc_info=error)  # the others go on
    return moved


async def advance(automation_id: int, now: datetime, *, count_max: int = RUNS_MAX) -> int:
    """Move up to `count_max` due runs of one automation. Deadlocks and lost connections are raised, all undone."""
    async with db.transaction():
        if not await locks.try_share(automation_id):
            return 0
        claimed = await claim.claim_due(automation_id, now, count_max=count_max)
        if claimed is None:
            return 0
        await crash.point("after_claim")
        timers = any(run.waiting for run in claimed.runs)
        journal = Journal(automation_id, claimed.version_id, now)
        walk = _Walk(claimed.automation_name, await graph.load(claimed.version_id), journal)
        await walk.resume(claimed.runs)
        await walk.until_nobody_moves()
        await crash.point("before_enqueue")
        await journal.write(caller.automation(f"automation:{automation_id}", now))
        await crash.point("timer_fired_before_commit" if timers else "timer_written")
        await bell.ring("dispatch")
    await crash.point("after_enqueue")
    return len(claimed.runs)


class _Walk:
    """The way of the claimed runs through the graph, step by step, all that stand on a step together."""

    def __init__(self, automation_name: str, live: Graph, journal: Journal) -> None:
        self.automation_name = automation_name
        self.graph = live
        self.journal = journal
        self.now = journal.now
        self.order = {key: number for number, key in enumerate(live.places)}
        self.standing: dict[str, list[Run]] = defaultdict(list)

    async def resume(self, runs: Sequence[Run]) -> None:
        """Put every run on its place in the live version (domain 2.11)."""
        for run in runs:
            place = self.graph.places.get(run.step_key)
            if place is None:
                self._leave_visit(run)
                self._arrive([run], await self._next_known(run))
                continue
            if run.waiting and run.visit_kind != place.card.word():
                self._leave_visit(run)
            self.standing[place.key].append(run)

    def _leave_visit(self, run: Run) -> None:
        if run.waiting:
            self.journal.leave([run], "STEP_DELETED")
        run.entered_at, run.attempt, run.deadline_at = self.now, 0, None

    async def _next_known(self, run: Run) -> str | None:
        """The first step after the run's own, in the version it came by, that the live version still has."""
        old = await graph.load(run.version_id)
        key: str | None = run.step_key
        seen: set[str] = set()
        while key is not None and key not in self.graph.places and key not in seen:
            seen.add(key)
            place = old.places[key]
            key = place.card.jump() or place.after()
        return None if key in seen else key

    async def until_nobody_moves(self) -> None:
        """Every run waits or has ended when this returns."""
        while self.standing:
            key = min(self.standing, key=self.order.__getitem__)
            for group in _each_contact_once(self.standing.pop(key)):
                await self._step(self.graph.places[key], group)

    async def _step(self, place: Place, runs: list[Run]) -> None:
        verdicts: dict[Run, Verdict] = {}

        async def act(some: Sequence[Run]) -> None:
            batch = Batch(place, some, self.journal.automation_id, self.automation_name, self.now)
            await place.card.apply(batch)
            if len(batch.verdicts) != len(some):
                raise RuntimeError(f"{place.card.kind} said nothing about some of its runs")
            verdicts.update(batch.verdicts)

        async def alone(run: Run, error: Exception) -> None:
            verdicts[run] = self._failure(place, run, error)

        await in_halves(runs, act, alone)
        same: dict[int, tuple[Verdict, list[Run]]] = {}
        for run, verdict in verdicts.items():
            same.setdefault(id(verdict), (verdict, []))[1].append(run)
        for verdict, group in same.values():
            self._move(place, group, verdict)

    def _move(self, place: Place, runs: list[Run], verdict: Verdict) -> None:
        self.journal.visit(place, runs, verdict)
        if verdict.status == "IN_PROGRESS":
            for run in runs:
                self.journal.rest(run, verdict, place.key)
        elif verdict.end is not None:
            for run in runs:
                self.journal.end(run, verdict.end)
        else:
            onward = place.after(verdict.branch) if place.card.goes_on else None
            self._arrive(runs, verdict.go or onward)

    def _arrive(self, runs: Iterable[Run], key: str | None) -> None:
        """The runs come to a step, or to the end; who has made too many steps without a wait goes no further."""
        for run in runs:
            if key is None:
                self.journal.end(run, "COMPLETED")
            elif run.moves >= MOVES_MAX:
                self.journal.visit(self.graph.places[key], [run], Verdict("FAILED", reason="LOOP_GUARD"))
                self.journal.end(run, "ERROR")
            else:
                run.entered_at, run.attempt, run.deadline_at = self.now, 0, None
                self.standing[key].append(run)

    def _failure(self, place: Place, run: Run, error: Exception) -> Verdict:
        """What becomes of a run whose step raised for it alone: a refusal is final, anything else is tried again."""
        if isinstance(error, Refused):
            code = error.problems[0].code
            return Verdict("FAILED", reason="MISSING_REFERENCE" if code in MISSING else code)
        attempt = run.attempt + 1
        _log.warning("step_failed", run=run.id, step=place.key, kind=place.card.kind, attempt=attempt, exc_info=error)
        if attempt >= ATTEMPTS_MAX:
            return Verdict("FAILED", reason="STEP_ERROR")
        return Verdict(
            "IN_PROGRESS",
            until=self.now + timedelta(seconds=2**attempt),
            deadline=run.deadline_at,
            watching=run.watching,
            attempt=attempt,
        )


def _each_contact_once(runs: list[Run]) -> Iterator[list[Run]]:
    """The runs in groups in which no contact is twice: runs of one contact take a step one after the other."""
    while runs:
        first: dict[int, Run] = {}
        again: list[Run] = []
        for run in runs:
            if first.setdefault(run.contact_id, run) is not run:
                again.append(run)
        yield list(first.values())
        runs = again
