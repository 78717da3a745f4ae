"""The jobs at work: pieces of long work, one after the other, by whichever worker comes by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

import asyncpg
import orjson
from tortoise.exceptions import OperationalError

from kit import clock, db, log, outage, registry
from kit.errors import Refused
from kit.sql import NOTHING, Sql
from services import jobs, notifications
from services.caller import Caller
from services.job import Job, Kind

TRIES_MAX = 4  # of one piece that fails, with growing pauses
PAUSE = timedelta(seconds=2)
BROKEN = "Something went wrong on our side; what was done so far stays done. The log of the worker says more."

_IN_THE_WAY = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)
_log = log.get("jobs")


class _CalledOff(Exception):
    """Somebody cancelled the job while a piece of it was being done: the piece is taken back."""


@cache
def kinds() -> dict[str, Kind]:
    """Every kind of job by the file name of its card."""
    from services import job_kinds
    from workflows import job_kinds as of_the_engine

    folders = (job_kinds, of_the_engine)
    found = {kind: card() for folder in folders for kind, card in registry.cards(folder, Kind).items()}  # type: ignore[type-abstract]
    return dict(sorted(found.items()))


async def here(now: datetime) -> int:
    """Do a piece of a job that waits for nobody but PostgreSQL."""
    return await pass_(now, [kind for kind, card in kinds().items() if not card.elsewhere])


async def elsewhere(now: datetime) -> int:
    """Do a piece of a job that may wait long for another system; meanwhile `here` goes on."""
    return await pass_(now, [kind for kind, card in kinds().items() if card.elsewhere])


async def pass_(now: datetime, among: Sequence[str] | None = None) -> int:
    """Do one piece of the job that has waited longest, of these kinds or of all; 1 if there was one, else 0.

    The lock of its row in `job_lease` is the lease: a killed worker's falls with its connection, and what it had not
    committed is gone with it.
    """
    job: Job | None = None
    try:
        async with db.transaction():
            claimed = await _claim(now, list(kinds() if among is None else among))
            if claimed is None:
                return 0
            job, state = claimed
            await _one_piece(job, state, now)
        return 1
    except _CalledOff:
        return 1
    except Refused as refused:
        assert job is not None
        await _fail(job, " ".join(problem.message for problem in refused.problems))
    except Exception as error:
        if job is None or outage.is_outage(error):
            raise
        await _try_again(job, error)
    return 1


async def _claim(now: datetime, among: list[str]) -> tuple[Job, str] | None:
    """The job whose turn it is, and its state. Locked in one statement and read in the next, which sees the newest."""
    job_id = await db.value(
        Sql(
            """
            SELECT jl.job_id
            FROM job_lease jl
            JOIN job jb ON jb.id = jl.job_id
            WHERE jl.due_at <= {now}::timestamptz
              AND jb.kind = ANY({kinds}::text[])
            ORDER BY jl.due_at, jl.job_id
            LIMIT 1
            FOR UPDATE OF jl SKIP LOCKED
            """,
            now=now,
            kinds=among,
        )
    )
    if job_id is None:
        return None
    row = await db.row(
        Sql(
            """
            SELECT
                jb.id, jb.kind, jb.parameters, jb.mark, jb.state, jb.total, jb.done, jb.unchanged, jb.refused,
                jb.actor, jb.user_id
            FROM job jb
            WHERE jb.id = {id}::bigint
            """,
            id=job_id,
        )
    )
    assert row is not None, "a lease goes with its job"
    state, by = row.pop("state"), Caller(actor=row.pop("actor"), now=now, user_id=row.pop("user_id"))
    row["parameters"], row["mark"] = orjson.loads(row["parameters"]), orjson.loads(row["mark"])
    return Job(by=by, **row), state


async def _one_piece(job: Job, state: str, now: datetime) -> None:
    card = kinds()[job.kind]
    if state not in (jobs.QUEUED, jobs.RUNNING):
        await _close(job, now)
        return
    more = True
    if state == jobs.QUEUED:
        await card.plan(job)
    else:
        more = await card.piece(job, now)
    # By the clock of now: the piece may have taken a while, and others wait their turn.
    await _record(job, jobs.RUNNING if more else jobs.DONE, await clock.now())
    if not more:
        await _close(job, now)


async def _close(job: Job, now: datetime) -> None:
    """Nothing more comes of the job. What it was asked to do may name people, and is not kept."""
    await kinds()[job.kind].ended(job, now)
    await db.execute(
        Sql(
            """
            WITH gone AS (DELETE FROM job_piece jw WHERE jw.job_id = {id}::bigint),
            ended AS (
                UPDATE job jb
                SET parameters = '{}',
                    mark = '{}'
                WHERE jb.id = {id}::bigint
                RETURNING jb.id, jb.kind, jb.state, jb.user_id
            ),
            {noticed}
            DELETE FROM job_lease jl
            WHERE jl.job_id = {id}::bigint
            """,
            id=job.id,
            noticed=notifications.recorded(
                Sql(
                    """
                    SELECT
                        ended.user_id, 'JOB_FINISHED', NULL::bigint, ended.id,
                        jsonb_build_object('kind', ended.kind, 'state', ended.state)
                    FROM ended
                    WHERE ended.state IN ('DONE', 'FAILED')
                    """
                ),
                now=now,
            ),
        )
    )


async def _record(job: Job, state: str, now: datetime) -> None:
    """The mark, the counters and the refusals of a piece, with what it did."""
    moved = await db.value(
        Sql(
            """
            WITH moved AS (
                UPDATE job jb
                SET state = {state}::text,
                    mark = {mark}::jsonb,
                    total = {total}::bigint,
                    done = {done}::bigint,
                    unchanged = {unchanged}::bigint,
                    refused = {refused}::bigint,
                    attempt = 0,
                    started_at = coalesce(jb.started_at, {now}::timestamptz),
                    updated_at = {now}::timestamptz,
                    finished_at = CASE WHEN {state}::text = 'DONE' THEN {now}::timestamptz END
                WHERE jb.id = {id}::bigint
                  AND jb.state IN ('QUEUED', 'RUNNING')
                RETURNING jb.id
            ),
            behind AS (
                UPDATE job_lease jl
                SET due_at = {now}::timestamptz
                WHERE jl.job_id = {id}::bigint
            )
            {told}
            SELECT moved.id FROM moved
            """,
            id=job.id,
            state=state,
            mark=db.jsonb(job.mark),
            total=job.total,
            done=job.done,
            unchanged=job.unchanged,
            refused=job.refused,
            now=now,
            told=_told(job),
        )
    )
    if moved is None:
        raise _CalledOff


def _told(job: Job) -> Sql:
    if not job.results:
        return NOTHING
    return Sql(
        """
        , told AS (
            INSERT INTO job_result (job_id, contact_id, unknown_id, action, code)
            SELECT
                {id}::bigint, c.id, CASE WHEN c.id IS NULL THEN w.contact_id END, w.action, w.code
            FROM unnest({contacts}::bigint[], {actions}::text[], {codes}::text[])
                WITH ORDINALITY AS w (contact_id, action, code, place)
            LEFT JOIN contact c ON c.id = w.contact_id
            ORDER BY w.place
        )
        """,
        id=job.id,
        contacts=[each[0] for each in job.results],
        actions=[each[1] for each in job.results],
        codes=[each[2] for each in job.results],
    )


async def _try_again(job: Job, error: Exception) -> None:
    """After a pause; a piece that keeps failing ends the job."""
    now = await clock.now()
    async with db.transaction():
        if not await _hold(job):
            return
        tries = await db.value(
            Sql("UPDATE job jb SET attempt = jb.attempt + 1 WHERE jb.id = {id}::bigint RETURNING jb.attempt", id=job.id)
        )
        await db.execute(
            Sql(
                "UPDATE job_lease jl SET due_at = {due}::timestamptz WHERE jl.job_id = {id}::bigint",
                id=job.id,
                due=now + PAUSE * 2**tries,
            )
        )
    cause = error.__cause__ if isinstance(error, OperationalError) else error
    if not isinstance(cause, _IN_THE_WAY):
        _log.error("piece failed", job=job.id, kind=job.kind, tries=tries, exc_info=error)
    if tries >= TRIES_MAX:
        await _fail(job, BROKEN)


async def _fail(job: Job, words: str) -> None:
    """The job ends here, and says why."""
    now = await clock.now()
    async with db.transaction():
        if not await _hold(job):
            return
        await db.execute(
            Sql(
                """
                UPDATE job jb
                SET state = 'FAILED',
                    error = {words}::text,
                    updated_at = {now}::timestamptz,
                    finished_at = {now}::timestamptz
                WHERE jb.id = {id}::bigint
                  AND jb.state IN ('QUEUED', 'RUNNING')
                """,
                id=job.id,
                words=words,
                now=now,
            )
        )
        await _close(job, now)


async def _hold(job: Job) -> bool:
    """Take the lease again; not where another worker has it by now, and tries the piece itself."""
    lease = Sql("SELECT jl.job_id FROM job_lease jl WHERE jl.job_id = {id}::bigint FOR UPDATE SKIP LOCKED", id=job.id)
    return await db.value(lease) is not None
