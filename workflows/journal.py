"""What a batch did, kept in memory and written at its end in a constant number of statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from kit import db
from kit.sql import NOTHING, Sql
from services import facts
from services.caller import Caller
from workflows import goal_facts
from workflows.batch import Run, Verdict
from workflows.graph import Place
from workflows.report import GOAL_JUMP, JUMPED_OVER
from workflows.steps.goal import Goal

# A visit as it is written: step, status, reason, branch, detail. Few different ones stand for thousands of visits.
Mark = tuple[int, str, str | None, str | None, str | None]
# Where a run rests: step, waiting, watching, due, deadline, attempt, end reason.
Rest = tuple[str | None, bool, bool, datetime | None, datetime | None, int, str | None]

OVER = db.jsonb({"over": True})


@dataclass(slots=True)
class Journal:
    """Collects visits, positions and counts of the runs of one automation."""

    automation_id: int
    version_id: int
    now: datetime
    marks: dict[Mark, int] = field(default_factory=dict)
    opened: list[tuple[int, int, int]] = field(default_factory=list)  # run, seq, mark
    closed: list[tuple[int, int, int]] = field(default_factory=list)
    counts: Counter[tuple[int, str, str | None, str | None]] = field(default_factory=Counter)
    rests: dict[Run, Rest] = field(default_factory=dict)
    goals: list[goal_facts.Reached] = field(default_factory=list)

    def visit(self, place: Place, runs: Sequence[Run], verdict: Verdict) -> None:
        """These runs stood at `place` and this became of them; the visit they had in progress is this one."""
        opened = closed = 0
        in_progress = verdict.status == "IN_PROGRESS"
        over = verdict.reason == GOAL_JUMP  # who was not even there is counted apart
        mark, kind = self._mark(place.step_id, replace(verdict, detail=OVER) if over else verdict), place.card.word()
        for run in runs:
            if not run.waiting:
                run.seq += 1
                run.moves += 1
                run.visit_step_id = place.step_id
                run.visit_kind = kind
                run.waiting = in_progress
                self.opened.append((run.id, run.seq, mark))
                opened += 1
            elif not in_progress:
                self._close(run, verdict)
                closed += 1
        reason = JUMPED_OVER if over else None if in_progress else verdict.reason
        self.counts[place.step_id, verdict.status, reason, verdict.branch] += opened
        if not in_progress and place.card.remembers():
            self._passed(place, runs, verdict)

    def _passed(self, place: Place, runs: Sequence[Run], verdict: Verdict) -> None:
        for run in runs:
            run.passed[place.key] = self.now
        if isinstance(place.card, Goal):
            result = "ACHIEVED" if verdict.status == "COMPLETED" else "SKIPPED"
            self.goals += [(run.id, run.contact_id, place.key, place.card.name, result) for run in runs]

    def leave(self, runs: Iterable[Run], reason: str) -> None:
        """The visit these runs have in progress ends without its step."""
        for run in runs:
            self._close(run, Verdict("SKIPPED", reason=reason))

    def rest(self, run: Run, verdict: Verdict, step_key: str) -> None:
        """The run stays where it is until the verdict's instants."""
        if not verdict.attempt:
            run.moves = 0
        self.rests[run] = (
            step_key,
            True,
            verdict.watching,
            verdict.until,
            verdict.deadline,
            verdict.attempt,
            None,
        )

    def stand(self, run: Run, step_key: str) -> None:
        """The run stands before this step, which is to be taken at once."""
        self.rests[run] = (step_key, False, False, self.now, None, 0, None)

    def end(self, run: Run, reason: str) -> None:
        """The run is over."""
        self.rests[run] = (None, False, False, None, None, 0, reason)

    def _mark(self, step_id: int, verdict: Verdict) -> int:
        mark = (step_id, verdict.status, verdict.reason, verdict.branch, verdict.detail)
        return self.marks.setdefault(mark, len(self.marks) + 1)

    def _close(self, run: Run, verdict: Verdict) -> None:
        assert run.visit_step_id is not None
        self.closed.append((run.id, run.seq, self._mark(run.visit_step_id, verdict)))
        self.counts[run.visit_step_id, "IN_PROGRESS", None, None] -= 1
        self.counts[run.visit_step_id, verdict.status, verdict.reason, verdict.branch] += 1
        run.waiting = run.watching = False

    # -------------------------------------------------------------------------------------------------------- writing

    async def write(self, by: Caller) -> None:
        """Write it all: at most five statements, whatever the number of runs."""
        marks = self._marks()
        if self.opened:
            await db.execute(self._insert_visits(marks))
        if self.closed:
            await db.execute(self._finish_visits(marks))
        if self.counts:
            await db.execute(self._count_visits())
        if self.goals:
            await db.execute(goal_facts.told(self.goals, self.automation_id, by=by))
        if self.rests:
            await db.execute(self._move_runs(by))

    def _marks(self) -> Sql:
        """The different visits, numbered, as a table to join."""
        columns = list(zip(*self.marks, strict=True)) or [()] * 5
        return Sql(
            """
            unnest({steps}::bigint[], {statuses}::text[], {reasons}::text[], {branches}::text[], {details}::text[])
            WITH ORDINALITY AS mark (step_id, status, reason, branch, detail, number)
            """,
            steps=list(columns[0]),
            statuses=list(columns[1]),
            reasons=list(columns[2]),
            branches=list(columns[3]),
            details=list(columns[4]),
        )

    def _insert_visits(self, marks: Sql) -> Sql:
        run_ids, seqs, numbers = zip(*self.opened, strict=True)
        return Sql(
            """
            INSERT INTO visit (run_id, seq, step_id, status, entered_at, finished_at, reason, branch, detail)
            SELECT
                w.run_id,
                w.seq,
                mark.step_id,
                mark.status::visit_status,
                {now}::timestamptz,
                CASE WHEN mark.status <> 'IN_PROGRESS' THEN {now}::timestamptz END,
                mark.reason,
                mark.branch,
                mark.detail::jsonb
            FROM unnest({run_ids}::bigint[], {seqs}::integer[], {numbers}::integer[]) AS w (run_id, seq, number)
            JOIN {marks} ON mark.number = w.number
            """,
            run_ids=list(run_ids),
            seqs=list(seqs),
            numbers=list(numbers),
            marks=marks,
            now=self.now,
        )

    def _finish_visits(self, marks: Sql) -> Sql:
        run_ids, seqs, numbers = zip(*self.closed, strict=True)
        return Sql(
            """
            UPDATE visit i
            SET status = mark.status::visit_status,
                finished_at = {now}::timestamptz,
                reason = mark.reason,
                branch = mark.branch,
                detail = mark.detail::jsonb
            FROM unnest({run_ids}::bigint[], {seqs}::integer[], {numbers}::integer[]) AS w (run_id, seq, number)
            JOIN {marks} ON mark.number = w.number
            WHERE i.run_id = w.run_id
              AND i.seq = w.seq
            """,
            run_ids=list(run_ids),
            seqs=list(seqs),
            numbers=list(numbers),
            marks=marks,
            now=self.now,
        )

    def _count_visits(self) -> Sql:
        changed = [(*key, number) for key, number in self.counts.items() if number]
        steps, statuses, reasons, branches, numbers = zip(*changed, strict=True) if changed else [()] * 5
        return Sql(
            """
            INSERT INTO visit_count (step_id, status, reason, branch, n)
            SELECT w.step_id, w.status::visit_status, w.reason, w.branch, w.n
            FROM unnest(
                {steps}::bigint[], {statuses}::text[], {reasons}::text[], {branches}::text[], {numbers}::bigint[]
            ) AS w (step_id, status, reason, branch, n)
            """,
            steps=list(steps),
            statuses=list(statuses),
            reasons=list(reasons),
            branches=list(branches),
            numbers=list(numbers),
        )

    def _move_runs(self, by: Caller) -> Sql:
        """One update of all runs; with what ended counted and told as facts in the same statement."""
        places: dict[Rest, int] = {}
        rows = [
            (run.id, run.seq, run.moves, places.setdefault(rest, len(places) + 1)) for run, rest in self.rests.items()
        ]
        run_ids, seqs, moves, numbers = zip(*rows, strict=True)
        keys, waiting, watching, due, deadlines, attempts, reasons = zip(*places, strict=True)
        anybody_ended = any(reason is not None for reason in reasons)
        return Sql(
            """
            WITH moved AS (
                UPDATE run r
                SET version_id = {version_id}::bigint,
                    step_key = rest.step_key,
                    seq = w.seq,
                    moves = w.moves,
                    waiting = rest.waiting,
                    watching = rest.watching,
                    due_at = rest.due_at,
                    deadline_at = rest.deadline_at,
                    attempt = rest.attempt,
                    ended_at = CASE WHEN rest.end_reason IS NOT NULL THEN {now}::timestamptz END,
                    end_reason = rest.end_reason
                FROM unnest({run_ids}::bigint[], {seqs}::integer[], {moves}::integer[], {numbers}::integer[])
                    AS w (id, seq, moves, number)
                JOIN unnest(
                    {keys}::text[], {waiting}::boolean[], {watching}::boolean[], {due}::timestamptz[],
                    {deadlines}::timestamptz[], {attempts}::integer[], {reasons}::text[]
                ) WITH ORDINALITY
                    AS rest (step_key, waiting, watching, due_at, deadline_at, attempt, end_reason, number)
                    ON rest.number = w.number
                WHERE r.id = w.id
                RETURNING r.id, r.contact_id, r.automation_id, r.end_reason
            )
            {told}
            SELECT count(*) FROM moved
            """,
            version_id=self.version_id,
            now=self.now,
            run_ids=list(run_ids),
            seqs=list(seqs),
            moves=list(moves),
            numbers=list(numbers),
            keys=list(keys),
            waiting=list(waiting),
            watching=list(watching),
            due=list(due),
            deadlines=list(deadlines),
            attempts=list(attempts),
            reasons=list(reasons),
            told=ended_told(by) if anybody_ended else NOTHING,
        )


def ended_told(by: Caller) -> Sql:
    """CTEs behind `moved (id, contact_id, automation_id, end_reason)`: count the ends and tell them as facts."""
    return Sql(
        """
        , counted AS (
            INSERT INTO run_count (automation_id, end_reason, n)
            SELECT moved.automation_id, moved.end_reason, count(*)
            FROM moved
            WHERE moved.end_reason IS NOT NULL
            GROUP BY moved.automation_id, moved.end_reason
        ),
        {fact}
        """,
        fact=facts.recorded(
            Sql(
                """
                SELECT
                    moved.contact_id,
                    'AUTOMATION_ENDED' AS kind,
                    moved.automation_id AS subject,
                    jsonb_build_object(
                        'automation', a.name, 'run', 'run_' || moved.id, 'reason', moved.end_reason
                    ) AS data
                FROM moved
                JOIN automation a ON a.id = moved.automation_id
                WHERE moved.end_reason IS NOT NULL
                ORDER BY moved.id
                """
            ),
            by=by,
        ),
    )
