"""What is remembered of imports: which rows are done, what came of them, and what could not be taken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from kit import db
from kit.errors import conflict
from kit.sql import Sql
from services.caller import Caller
from services.incoming import Problems
from services.mapping import Targets

PAGE_ROWS = 5_000
_COUNTS = ("created", "updated", "unchanged", "duplicates", "refused", "warned", "not_reactivated")


@dataclass(frozen=True, slots=True)
class ImportJob:
    """One import of one file. Of its rows so far each was `created`, `updated`, `unchanged`, a duplicate or refused."""

    id: int
    name: str
    targets: Targets
    rows_total: int
    rows_done: int
    started_at: datetime
    finished_at: datetime | None
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    refused: int = 0
    warned: int = 0
    not_reactivated: int = 0
    job_id: int | None = None
    events_from: int | None = None
    events_to: int | None = None
    undo_id: int | None = None


@dataclass(slots=True)
class Result:
    """What a batch adds to its job."""

    rows: int
    counts: Mapping[str, int]
    problems: Problems = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Noted:
    """A row that was refused, or taken without a part of it."""

    line: int
    severity: str
    column: str | None
    code: str
    message: str


async def find_unfinished(fingerprint: bytes) -> ImportJob | None:
    """The import of the same file in the same way that was not brought to its end."""
    return await _find(Sql("j.fingerprint = {fingerprint}::bytea AND j.finished_at IS NULL", fingerprint=fingerprint))


async def find_finished(fingerprint: bytes) -> ImportJob | None:
    """The latest import of the same file in the same way that has come to its end."""
    return await _find(
        Sql("j.fingerprint = {fingerprint}::bytea AND j.finished_at IS NOT NULL", fingerprint=fingerprint)
    )


async def create(
    name: str, fingerprint: bytes, targets: Targets, rows_total: int, *, sync_id: int | None = None, by: Caller
) -> ImportJob:
    """A new import at its first row. Refused: one of the same file in the same way is on its way (IN_USE).

    With `sync_id` it is a run of that source, which has one at a time.
    """
    made = await db.value(
        Sql(
            """
            INSERT INTO import_job (
                name, fingerprint, targets, rows_total, user_id, sync_id, events_from, started_at, updated_at
            )
            VALUES (
                {name}::text, {fingerprint}::bytea, {targets}::jsonb, {rows}::bigint, {user}::bigint, {sync}::bigint,
                {latest}, {now}::timestamptz, {now}::timestamptz
            )
            ON CONFLICT DO NOTHING
            RETURNING id
            """,
            name=name,
            fingerprint=fingerprint,
            targets=db.jsonb(list(targets.items())),
            rows=rows_total,
            user=by.user_id,
            sync=sync_id,
            latest=_LATEST_FACT,
            now=by.now,
        )
    )
    if made is None:
        raise _running()
    return ImportJob(made, name, targets, rows_total, 0, by.now, None)


async def find(import_id: int) -> ImportJob | None:
    """An import by its id."""
    return await _find(Sql("j.id = {id}::bigint", id=import_id))


async def get_of_job(job_id: int) -> ImportJob:
    """The import that a job works on."""
    found = await _find(Sql("j.job_id = {id}::bigint", id=job_id))
    assert found is not None, "they are made together"
    return found


async def refused_between(import_id: int, first: int, last: int) -> list[Noted]:
    """What could not be taken at all of the rows that begin on these lines, line by line, once each."""
    rows = await db.rows(
        Sql(
            """
            SELECT DISTINCT ON (jp.line) jp.line, jp.severity, jp.column_name AS "column", jp.code, jp.message
            FROM import_problem jp
            WHERE jp.job_id = {id}::bigint
              AND jp.line BETWEEN {first}::bigint AND {last}::bigint
              AND jp.severity = 'REFUSED'
            ORDER BY jp.line, jp.id
            """,
            id=import_id,
            first=first,
            last=last,
        )
    )
    return [Noted(**row) for row in rows]


async def claim(job: ImportJob) -> None:
    """Lock the job for this transaction. Refused: another process has moved it since (IN_USE)."""
    done = await db.value(
        Sql("SELECT j.rows_done FROM import_job j WHERE j.id = {id}::bigint FOR NO KEY UPDATE", id=job.id)
    )
    if done != job.rows_done:
        raise _running()


async def record(job: ImportJob, result: Result, *, by: Caller) -> ImportJob:
    """Move the mark behind a batch and note what was wrong in it; the job as it is then."""
    await db.execute(
        Sql(
            """
            WITH noted AS (
                INSERT INTO import_problem (job_id, line, severity, column_name, code, message)
                SELECT {id}::bigint, w.*
                FROM unnest(
                    {lines}::bigint[], {severities}::text[], {columns}::text[], {codes}::text[], {messages}::text[]
                ) AS w (line, severity, column_name, code, message)
                ORDER BY w.line
            )
            UPDATE import_job j
            SET rows_done = j.rows_done + {rows}::bigint,
                created = j.created + {created}::bigint,
                updated = j.updated + {updated}::bigint,
                unchanged = j.unchanged + {unchanged}::bigint,
                duplicates = j.duplicates + {duplicates}::bigint,
                refused = j.refused + {refused}::bigint,
                warned = j.warned + {warned}::bigint,
                not_reactivated = j.not_reactivated + {not_reactivated}::bigint,
                updated_at = {now}::timestamptz
            WHERE j.id = {id}::bigint
            """,
            id=job.id,
            rows=result.rows,
            **{key: result.counts.get(key, 0) for key in _COUNTS},
            lines=[line for line, _, _, _ in result.problems],
            severities=[severity for _, severity, _, _ in result.problems],
            columns=[column for _, _, column, _ in result.problems],
            codes=[problem.code for _, _, _, problem in result.problems],
            messages=[problem.message for _, _, _, problem in result.problems],
            now=by.now,
        )
    )
    sums = {key: getattr(job, key) + result.counts.get(key, 0) for key in _COUNTS}
    return replace(job, rows_done=job.rows_done + result.rows, **sums)


async def belongs_to(import_id: int, job_id: int) -> None:
    """An import that a job works on."""
    await db.execute(
        Sql("UPDATE import_job j SET job_id = {job}::bigint WHERE j.id = {id}::bigint", id=import_id, job=job_id)
    )


async def look_through(job: ImportJob, rows_total: int, *, by: Caller) -> None:
    """The file is fit to be imported; from here on its facts are counted."""
    await db.execute(
        Sql(
            """
            UPDATE import_job j
            SET rows_total = {rows}::bigint,
                started_at = {now}::timestamptz,
                events_from = {latest}
            WHERE j.id = {id}::bigint
            """,
            id=job.id,
            rows=rows_total,
            now=by.now,
            latest=_LATEST_FACT,
        )
    )


async def close(import_id: int, *, now: datetime) -> None:
    """No more comes of it, whether all rows are done or not."""
    await db.execute(
        Sql(
            """
            UPDATE import_job j
            SET finished_at = coalesce(j.finished_at, {now}::timestamptz),
                events_to = {latest}
            WHERE j.id = {id}::bigint
            """,
            id=import_id,
            now=now,
            latest=_LATEST_FACT,
        )
    )


_LATEST_FACT = Sql("coalesce(pg_sequence_last_value(pg_get_serial_sequence('event', 'id')::regclass), 0)")


async def finish(job: ImportJob, *, by: Caller) -> ImportJob:
    """All rows are done."""
    await close(job.id, now=by.now)
    return replace(job, finished_at=by.now)


async def problems(job_id: int) -> AsyncIterator[Noted]:
    """Everything that was wrong in the file, line by line, however much it is."""
    line, number = 0, 0
    while True:
        page = await db.rows(
            Sql(
                """
                SELECT jp.id, jp.line, jp.severity, jp.column_name, jp.code, jp.message
                FROM import_problem jp
                WHERE jp.job_id = {job}::bigint
                  AND (jp.line, jp.id) > ({line}::bigint, {id}::bigint)
                ORDER BY jp.line, jp.id
                LIMIT {limit}::bigint
                """,
                job=job_id,
                line=line,
                id=number,
                limit=PAGE_ROWS,
            )
        )
        for row in page:
            yield Noted(row["line"], row["severity"], row["column_name"], row["code"], row["message"])
        if len(page) < PAGE_ROWS:
            return
        line, number = page[-1]["line"], page[-1]["id"]


async def _find(chosen: Sql) -> ImportJob | None:
    row = await db.row(
        Sql(
            """
            SELECT
                j.id, j.name, j.targets, j.rows_total, j.rows_done, j.started_at, j.finished_at, j.created, j.updated,
                j.unchanged, j.duplicates, j.refused, j.warned, j.not_reactivated, j.job_id, j.events_from, j.events_to,
                j.undo_id
            FROM import_job j
            WHERE {chosen}
            ORDER BY j.id DESC
            LIMIT 1
            """,
            chosen=chosen,
        )
    )
    return ImportJob(**{**row, "targets": dict(orjson.loads(row["targets"]))}) if row else None


def _running() -> Any:
    return conflict("IN_USE", "This file is being imported by another process at the moment.")
