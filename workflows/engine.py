"""Advance: lead everybody who is due as far as they can go, a thousand contacts in one transaction.

All of it is committed at once or not at all, so that every effect inside the database happens exactly once, whatever
dies in between. Work that is left over is found by the next pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from kit import bell, crash, db, log
from kit.errors import Refused
from segments import rule
from services import caller
from workflows import claim, goals, graph, locks, put_away
from workflows.batch import Batch, Run, Verdict
from workflows.graph import Graph, Place
from workflows.halves import in_halves, passes
from workflows.journal import Journal
from workflows.looks import next_looks

RUNS_MAX = 1_000  # in one transaction
AUTOMATIONS_MAX = 20  # in one pass
MOVES_MAX = 200  # steps of one run without a wait (domain 2.13)
ATTEMPTS_MAX = 3  # tries of a step that raises
JUMPED = db.jsonb({"jumped": True})
MISSING = {"NOT_FOUND", "UNKNOWN_FIELD"}  # refusals that mean: what the step is about is gone

_log = log.get(__name__)


async def pass_(now: datetime) -> int:
    """Move what is due at `now`; the number of runs that were moved, 0 when nothing was due."""
    moved = await put_away.pass_(now)
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
        live = await graph.load(claimed.version_id)
        await claim.read_passed(claimed.runs, live.remembering)
        walk = _Walk(claimed.automation_name, live, journal)
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
        self.goals = goals.of(live)
        self.order = {key: number for number, key in enumerate(live.places)}
        self.standing: dict[str, list[Run]] = defaultdict(list)
        self._reading: rule.Reading | None = None

    async def resume(self, runs: Sequence[Run]) -> None:
        """Put every run on its place in the live version (domain 2.11)."""
        for run in runs:
            place = self.graph.places.get(run.step_key)
            if place is None:
                self._leave_visit(run)
                try:
                    onward = graph.next_known(self.graph, await graph.load(run.version_id), run.step_key)
                except KeyError:
                    if not self.graph.places:
                        raise  # nothing of this automation can be led anywhere
                    _log.error("step_unknown", run=run.id, step=run.step_key)
                    self.journal.end(run, "ERROR")
                    continue
                self._arrive([run], onward)
                continue
            if run.waiting and run.visit_kind != place.card.word():
                self._leave_visit(run)
            self.standing[place.key].append(run)

    def _leave_visit(self, run: Run) -> None:
        if run.waiting:
            self.journal.leave([run], "STEP_DELETED")
        run.entered_at, run.attempt, run.deadline_at = self.now, 0, None

    async def until_nobody_moves(self) -> None:
        """Every run waits or has ended when this returns."""
        while self.standing:
            key = min(self.standing, key=self.order.__getitem__)
            for group in _each_contact_once(self.standing.pop(key)):
                place = self.graph.places[key]
                here = await self._jump(place, group) if self.goals else group
                if here:
                    await self._step(place, here)

    async def _jump(self, place: Place, runs: list[Run]) -> list[Run]:
        """Whose contact has met a goal goes on behind it (domain 2.6); the others, who stay on their step."""
        assert self.goals is not None
        met: dict[Run, str] = {}

        async def look(some: Sequence[Run], which: Sequence[str] = ()) -> None:
            assert self.goals is not None
            if self._reading is None:
                self._reading = await rule.reading(self.now)
            met.update(await self.goals.met(which, some, self._reading))

        async def fault(run: Run, error: Exception) -> None:
            _log.error("goal_failed", run=run.id, step=place.key, exc_info=error)

        for which, some in self.goals.open(place, runs).items():
            await in_halves(some, partial(look, which=which), fault)
        reached: dict[str, list[Run]] = defaultdict(list)
        for run, goal in met.items():
            reached[goal].append(run)
        for goal, some in reached.items():
            self._pass_over(place, goal, some)
        return [run for run in runs if run not in met]

    def _pass_over(self, place: Place, goal: str, runs: Sequence[Run]) -> None:
        """The step they were interrupted at and those between are skipped, and the goal is met."""
        assert self.goals is not None
        over = Verdict("SKIPPED", reason="GOAL_JUMP")
        moves = [run.moves for run in runs]
        self.journal.visit(place, runs, over)
        for key in self.goals.line(place.key, goal):
            self.journal.visit(self.graph.places[key], runs, over)
        for run, before in zip(runs, moves, strict=True):
            run.entered_at, run.moves = self.now, before  # what they did not do does not count as steps made
        self._move(self.graph.places[goal], runs, Verdict("COMPLETED", detail=JUMPED))

    async def _step(self, place: Place, runs: list[Run]) -> None:
        verdicts: dict[Run, Verdict] = {}

        async def act(some: Sequence[Run]) -> None:
            batch = Batch(place, some, self.journal.automation_id, self.automation_name, self.now, known=self._reading)
            await place.card.apply(batch)
            await self._watch_goals(batch)
            self._reading = batch.known
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

    async def _watch_goals(self, batch: Batch) -> None:
        """Who rests while there are goals to meet is looked at as soon as one of them may be met."""
        resting = [run for run, verdict in batch.verdicts.items() if verdict.status == "IN_PROGRESS"]
        if self.goals is None or not resting:
            return
        for which, runs in self.goals.open(batch.place, resting).items():
            rules = [self.goals.card(key).where for key in which]
            looks = await next_looks(rules, batch.contacts_of(runs), await batch.reading())
            told: dict[tuple[int, datetime | None], Verdict] = {}
            for run in runs:
                verdict = batch.verdicts[run]
                until = batch.next_look(run, looks.get(run.contact_id), verdict.until)
                key = (id(verdict), until)
                if key not in told:
                    # When the wait itself ends, however often it is looked at before.
                    deadline = verdict.deadline if verdict.watching else verdict.until
                    told[key] = replace(verdict, until=until, deadline=deadline, watching=True)
                batch.verdicts[run] = told[key]

    def _move(self, place: Place, runs: Sequence[Run], verdict: Verdict) -> None:
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
