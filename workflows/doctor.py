"""The doctor: counts what must never be, on a database at work, and keeps what was found for whoever watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from tortoise.exceptions import OperationalError

from kit import db, log
from kit.sql import Sql
from workflows.checks import CHECKS, Check

STATEMENT_SECONDS_MAX = 120
SAMPLES_MAX = 5
PAUSE = timedelta(minutes=50)

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """How often it is so, and the first of them; None: it could not be counted in time."""

    check: Check
    violations: int | None
    samples: tuple[str, ...] = ()


async def examine(now: datetime, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Every check, one after the other; nothing is changed and nobody is kept waiting."""
    return [await _look(check, now) for check in checks]


async def _look(check: Check, now: datetime) -> Finding:
    rows = await check.rows(now)
    try:
        async with db.transaction():
            await db.be_patient(statement_seconds=STATEMENT_SECONDS_MAX)
            found = await db.row(
                Sql(
                    """
                    SELECT count(*) AS violations, (array_agg(w.found))[:{samples_max}::integer] AS samples
                    FROM ({rows}) AS w
                    """,
                    rows=rows,
                    samples_max=SAMPLES_MAX,
                )
            )
    except (asyncpg.QueryCanceledError, OperationalError) as error:
        _log.warning("check_not_done", check=check.name, exc_info=error)
        return Finding(check, None)
    assert found is not None
    return Finding(check, found["violations"], tuple(found["samples"] or ()))


async def round_(now: datetime) -> None:
    """Examine and keep what was found, unless that was done a short while ago."""
    latest = await db.value(Sql("SELECT max(ic.checked_at) FROM invariant_check ic"))
    if latest is not None and now - PAUSE < latest <= now:
        return
    findings = await examine(now)
    for each in findings:
        if each.violations:
            _log.error("invariant_violated", check=each.check.name, violations=each.violations, samples=each.samples)
    await db.execute(
        Sql(
            """
            INSERT INTO invariant_check (name, violations, checked_at)
            SELECT w.name, w.violations, {now}::timestamptz
            FROM unnest({names}::text[], {violations}::bigint[]) AS w (name, violations)
            ON CONFLICT (name) DO UPDATE
            SET violations = excluded.violations,
                checked_at = excluded.checked_at
            """,
            now=now,
            names=[each.check.name for each in findings],
            violations=[each.violations for each in findings],
        )
    )
