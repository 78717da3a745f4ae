"""What a step sees and says: the runs that stand on it, and what became of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kit import crash, db
from kit.sql import Sql, ids
from segments import rule
from services import caller as callers
from services.outcome import Outcome
from workflows.graph import Place
from workflows.looks import next_looks

NOOP_DETAIL = {"noop": True}
NOOP = db.jsonb(NOOP_DETAIL)


@dataclass(slots=True, eq=False)
class Run:
    """One contact's way through one automation, as it was when it was claimed; the journal moves it on."""

    id: int
    contact_id: int
    version_id: int
    step_key: str
    seq: int  # number of the latest visit
    moves: int  # steps since the latest wait
    depth: int  # automations that started each other to get here
    attempt: int  # failed tries of the step it stands on
    waiting: bool  # the visit `seq` is in progress; it began at `entered_at`, on the step `visit_step_id`
    watching: bool
    deadline_at: datetime | None
    entered_at: datetime
    visit_step_id: int | None
    visit_kind: str | None
    passed: dict[str, datetime] = field(default_factory=dict)  # steps that remember, and when it last left them


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a run at a step. `status` is that of its visit; IN_PROGRESS while it waits."""

    status: str
    reason: str | None = None
    branch: str | None = None
    detail: str | None = None  # JSON
    go: str | None = None  # on to this step instead of what follows
    end: str | None = None  # the run ends, with this reason
    until: datetime | None = None  # when to look again
    deadline: datetime | None = None
    watching: bool = False  # look again at every fact about the contact
    attempt: int = 0


@dataclass(slots=True)
class Batch:
    """The runs at one place, each of another contact, and what the step says about them."""

    place: Place
    runs: Sequence[Run]
    automation_id: int
    automation_name: str
    now: datetime
    verdicts: dict[Run, Verdict] = field(default_factory=dict)
    known: rule.Reading | None = None  # what rules are read with, once it was asked for

    @property
    def contacts(self) -> Sql:
        """The contacts of the group, selected as `id`: what every verb takes."""
        return self.contacts_of(self.runs)

    def contacts_of(self, runs: Iterable[Run]) -> Sql:
        return ids([run.contact_id for run in runs])

    @property
    def caller(self) -> callers.Caller:
        """Who acts: the automation."""
        return self.caller_at(0)

    def caller_at(self, depth: int) -> callers.Caller:
        return callers.automation(f"automation:{self.automation_id}", self.now, depth=depth)

    def of(self, contacts: Iterable[int]) -> list[Run]:
        """The runs of these contacts."""
        wanted = set(contacts)
        return [run for run in self.runs if run.contact_id in wanted]

    async def reading(self) -> rule.Reading:
        """What rules are read with, at the instant of the batch."""
        if self.known is None:
            self.known = await rule.reading(self.now)
        return self.known

    async def matching(self, condition: rule.Condition, runs: Sequence[Run] | None = None) -> set[int]:
        """The contacts of these runs that the condition holds for now."""
        contacts = self.contacts_of(self.runs if runs is None else runs)
        found = set(await db.column(rule.matching(condition, contacts, await self.reading())))
        await crash.point("condition_evaluated")
        return found

    def settle(self, outcome: Outcome, *, refused: str = "SKIPPED") -> None:
        """Complete whom the verb changed, and as `noop` whom it found so already; skip or fail whom it refused."""
        reason_of = {contact: code for code, contacts in outcome.refused.items() for contact in contacts}
        done, noop = Verdict("COMPLETED"), Verdict("COMPLETED", detail=NOOP)
        for run in self.runs:
            contact = run.contact_id
            if contact in reason_of:
                self.verdicts[run] = Verdict(refused, reason=reason_of[contact])
            else:
                self.verdicts[run] = done if contact in outcome.changed else noop

    def complete(self, runs: Iterable[Run] | None = None, *, branch: str | None = None, detail: Any = None) -> None:
        """The step is done: on along `branch`, or to what follows."""
        self._say(runs, Verdict("COMPLETED", branch=branch, detail=_json(detail)))

    def skip(self, runs: Iterable[Run] | None, reason: str) -> None:
        """The step was not for these; they go on."""
        self._say(runs, Verdict("SKIPPED", reason=reason))

    def fail(self, runs: Iterable[Run] | None, reason: str) -> None:
        """The step went wrong for these; they go on."""
        self._say(runs, Verdict("FAILED", reason=reason))

    def wait(
        self,
        runs: Iterable[Run] | None = None,
        *,
        until: datetime | None,
        deadline: datetime | None = None,
        watching: bool = False,
    ) -> None:
        """These rest here; `apply` is asked again at `until`, and with `watching` at every fact about the contact."""
        self._say(runs, Verdict("IN_PROGRESS", until=until, deadline=deadline, watching=watching))

    def hold(self, reason: str, *, until: datetime) -> None:
        """The step cannot be done now, for anybody: all rest here, their visits say why, and `apply` is asked again."""
        self._say(None, Verdict("IN_PROGRESS", reason=reason, until=until))

    def go(self, step: str, runs: Iterable[Run] | None = None) -> None:
        """The step is done and leads to another one."""
        self._say(runs, Verdict("COMPLETED", go=step))

    async def watch(self, condition: rule.Condition, deadlines: Mapping[Run, datetime | None]) -> None:
        """These rest until the rule may hold: looked at again at every fact about the contact, when time alone may
        make it true, and at their deadlines, if they have one."""
        contacts = self.contacts_of(deadlines)
        looks = await next_looks([condition], contacts, await self.reading()) if deadlines else {}
        resting: dict[tuple[datetime | None, datetime | None], list[Run]] = defaultdict(list)
        for run, deadline in deadlines.items():
            resting[self.next_look(run, looks.get(run.contact_id), deadline), deadline].append(run)
        for (until, deadline), runs in resting.items():
            self.wait(runs, until=until, deadline=deadline, watching=True)

    def next_look(self, run: Run, *instants: datetime | None) -> datetime | None:
        """The first of the instants; now, for who only begins to watch."""
        if not run.watching:
            # A fact that was committed between our look and our commit found nobody watching: look once more.
            return self.now
        return min((each for each in instants if each is not None), default=None)

    def end(
        self,
        reason: str,
        runs: Iterable[Run] | None = None,
        *,
        failed: str | None = None,
        skipped: str | None = None,
        detail: Any = None,
    ) -> None:
        """The run is over, with `reason`; the visit is COMPLETED, or FAILED or SKIPPED with that code."""
        status = "FAILED" if failed else "SKIPPED" if skipped else "COMPLETED"
        self._say(runs, Verdict(status, reason=failed or skipped, detail=_json(detail), end=reason))

    def _say(self, runs: Iterable[Run] | None, verdict: Verdict) -> None:
        self.verdicts.update(dict.fromkeys(self.runs if runs is None else runs, verdict))


def _json(detail: Any) -> str | None:
    return None if detail is None else db.jsonb(detail)
