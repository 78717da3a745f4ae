"""Jobs: long work that somebody asks for, sees move on, and can call off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from kit import bell, db, sql
from kit.errors import conflict, not_found
from kit.sql import Sql
from services.caller import Caller, Role

PIECE_SIZE = 5_000
KEPT = timedelta(days=30)  # after its end
FIX_SECONDS_MAX = 300  # finding out who is in the set

QUEUED, RUNNING, DONE = "QUEUED", "RUNNING", "DONE"


async def begin(kind: str, parameters: Mapping[str, Any], *, by: Caller) -> int:
    """Ask for work of this kind (the file name of a card); the id of the job. It begins within a second or two.

    `parameters` are JSON and were checked by whoever calls: a job that fails later cannot answer its maker.
    """
    made = await db.value(
        Sql(
            """
            WITH made AS (
                INSERT INTO job (kind, parameters, actor, user_id, created_at, updated_at)
                VALUES (
                    {kind}::text, {parameters}::jsonb, {actor}::text, {user}::bigint,
                    {now}::timestamptz, {now}::timestamptz
                )
                RETURNING id
            )
            INSERT INTO job_lease (job_id, due_at)
            SELECT made.id, {now}::timestamptz
            FROM made
            RETURNING job_id
            """,
            kind=kind,
            parameters=db.jsonb(parameters),
            actor=by.actor,
            user=by.user_id,
            now=by.now,
        )
    )
    await bell.ring("jobs")
    return made


async def cancel(job_id: int, *, by: Caller) -> None:
    """Call a job off: when this returns nothing more comes of it; what it has done stays done.

    The piece that is being worked on is taken back, for it ends by moving a job that is still RUNNING. Refused:
    NOT_FOUND, also where it is somebody else's and the caller no admin; JOB_ENDED.
    """
    row = await db.row(
        Sql(
            """
            WITH seen AS (
                SELECT jb.id
                FROM job jb
                WHERE jb.id = {id}::bigint
                  AND {mine}
            ),
            moved AS (
                UPDATE job jb
                SET state = 'CANCELLED',
                    updated_at = {now}::timestamptz,
                    finished_at = {now}::timestamptz
                FROM seen
                WHERE jb.id = seen.id
                  AND jb.state IN ('QUEUED', 'RUNNING')
                RETURNING jb.id
            )
            SELECT EXISTS (SELECT FROM seen) AS seen, EXISTS (SELECT FROM moved) AS moved
            """,
            id=job_id,
            mine=visible(by),
            now=by.now,
        )
    )
    assert row is not None
    if not row["seen"]:
        raise not_found("job", "id")
    if not row["moved"]:
        raise conflict("JOB_ENDED", "This job has come to its end already.", "id")
    await bell.ring("jobs")


def visible(by: Caller) -> Sql:
    """A condition over `job jb`: the jobs that the caller may see, its own, and for admins all."""
    if by.role >= Role.ADMIN:
        return sql.TRUE
    return Sql("(jb.user_id = {user}::bigint)", user=by.user_id)


async def is_visible(job_id: int, *, by: Caller) -> bool:
    """Whether there is such a job and the caller may see it."""
    mine = Sql("SELECT EXISTS (SELECT FROM job jb WHERE jb.id = {id}::bigint AND {mine})", id=job_id, mine=visible(by))
    return await db.value(mine)


async def has_ended(job_id: int) -> bool:
    """Whether nothing more comes of the job."""
    return not await db.value(
        Sql(
            "SELECT EXISTS (SELECT FROM job jb WHERE jb.id = {id}::bigint AND jb.state IN ('QUEUED', 'RUNNING'))",
            id=job_id,
        )
    )


async def forget(now: datetime) -> None:
    """Forget jobs that ended a month ago, with whom they left out and the files they made."""
    await db.execute(Sql("DELETE FROM job jb WHERE jb.finished_at < {since}::timestamptz", since=now - KEPT))


async def fix(job_id: int, rows: Sql, *, size: int = PIECE_SIZE) -> int:
    """Fix the set of a job: `rows` selects a column `id`; from now on nobody comes into it or leaves it. How many.

    One statement, however many there are: each piece is one row with the ids in it, ascending.
    """
    statement = Sql(
        """
        INSERT INTO job_piece (job_id, number, ids)
        SELECT {job}::bigint, found.number, array_agg(found.id ORDER BY found.id)
        FROM (
            SELECT w.id, (row_number() OVER (ORDER BY w.id) - 1) / {size}::bigint AS number
            FROM (SELECT DISTINCT s.id FROM ({rows}) AS s) AS w
        ) AS found
        GROUP BY found.number
        """,
        job=job_id,
        rows=rows,
        size=size,
    )
    await patiently(statement)
    return await db.value(
        Sql("SELECT coalesce(sum(cardinality(jw.ids)), 0)::bigint FROM job_piece jw WHERE jw.job_id = {id}", id=job_id)
    )


async def take(job_id: int) -> list[int]:
    """The ids of the next piece of the job's set, which is then behind it; empty when nothing is left."""
    found = await db.value(
        Sql(
            """
            DELETE FROM job_piece jw
            WHERE jw.job_id = {id}::bigint
              AND jw.number = (SELECT min(next.number) FROM job_piece next WHERE next.job_id = {id}::bigint)
            RETURNING jw.ids
            """,
            id=job_id,
        )
    )
    return found or []


async def left(job_id: int) -> bool:
    """Whether the job's set has another piece."""
    return await db.value(Sql("SELECT EXISTS (SELECT FROM job_piece jw WHERE jw.job_id = {id}::bigint)", id=job_id))


async def patiently(statement: Sql, *, seconds: int = FIX_SECONDS_MAX) -> None:
    """A statement that may take longer than what a request is given; inside a transaction only."""
    text, parameters = statement.render()
    await db.be_patient(statement_seconds=seconds)
    async with db.raw() as connection:
        await connection.execute(text, *parameters, timeout=seconds + 1)
