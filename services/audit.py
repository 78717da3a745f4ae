"""The audit log: who did what, when, and whether it was allowed. It names what was touched and holds no values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kit import db
from kit.errors import NotAllowed, Refused
from kit.sql import Sql
from services.caller import Caller

DONE, REFUSED, FORBIDDEN, FAILED = ("DONE", "REFUSED", "FORBIDDEN", "FAILED")
SUBJECTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation: its name in the API, the global ids it is about, the names of what was given to it."""

    operation: str
    subjects: Sequence[str] = ()
    inputs: Sequence[str] = ()
    request_id: str | None = None
    outcome: str = DONE
    codes: Sequence[str] = field(default=())

    def about(self, subjects: Sequence[str]) -> Entry:
        """The same, also about these."""
        return replace(self, subjects=[*self.subjects, *subjects])

    def refused(self, refusal: Refused) -> Entry:
        """The same, refused; it changed nothing."""
        outcome = FORBIDDEN if isinstance(refusal, NotAllowed) else REFUSED
        return replace(self, outcome=outcome, codes=[problem.code for problem in refusal.problems])

    def failed(self) -> Entry:
        """The same, broken off by a fault of ours; it changed nothing."""
        return replace(self, outcome=FAILED)


def written(entry: Entry, *, by: Caller) -> Sql:
    """A CTE `audited` that writes the entry, to stand in the statement that makes the answer of what was done."""
    return Sql(
        """
        audited AS (
            INSERT INTO audit_entry (at, actor, user_id, operation, subjects, inputs, outcome, codes, request_id)
            VALUES (
                {now}::timestamptz, {actor}::text, {user}::bigint, {operation}::text, {subjects}::text[],
                {inputs}::text[], {outcome}::text, {codes}::text[], {request}::text
            )
        )
        """,
        now=by.now,
        actor=by.actor,
        user=by.user_id,
        operation=entry.operation,
        subjects=list(dict.fromkeys(entry.subjects))[:SUBJECTS_MAX],
        inputs=list(entry.inputs),
        outcome=entry.outcome,
        codes=list(dict.fromkeys(entry.codes)),
        request=entry.request_id,
    )


async def record(entry: Entry, *, by: Caller) -> None:
    """Write the entry by itself: for what was refused, and therefore has no answer of its own."""
    await db.execute(Sql("WITH {audited} SELECT", audited=written(entry, by=by)))
