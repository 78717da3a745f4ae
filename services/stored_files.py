"""Files that come in and go out, kept in the database for a while, so that any web process has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kit import db
from kit.errors import not_found
from kit.sql import Sql
from services import often
from services.caller import Caller, Role

KEPT_MADE = timedelta(hours=24)
KEPT_UPLOADED = timedelta(hours=24)  # and for as long as its import is at work
KEPT_HALF = timedelta(hours=1)  # an upload that is on its way
LINK_SECONDS = 15 * 60
UPLOADS_AN_HOUR_MAX = 60  # of one user


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as a door needs to know it."""

    id: int
    name: str
    media_type: str
    size: int
    chunks: int
    user_id: int | None
    job_id: int | None


async def begin(
    name: str, *, by: Caller, job_id: int | None = None, media_type: str = "text/csv", kept: timedelta = KEPT_MADE
) -> int:
    """A file without content yet, the caller's; its id. Nobody can read it before it is complete."""
    return await db.value(
        Sql(
            """
            INSERT INTO stored_file (job_id, user_id, name, media_type, created_at, expires_at)
            VALUES (
                {job}::bigint, {user}::bigint, {name}::text, {media_type}::text,
                {now}::timestamptz, {until}::timestamptz
            )
            RETURNING id
            """,
            job=job_id,
            user=by.user_id,
            name=name,
            media_type=media_type,
            now=by.now,
            until=by.now + kept,
        )
    )


async def upload_wait_seconds(*, by: Caller) -> float:
    """How long the caller must wait until it may upload another file; 0 where it need not."""
    return await often.wait_seconds(
        Sql(
            "SELECT fl.created_at FROM stored_file fl WHERE fl.user_id = {user}::bigint AND fl.job_id IS NULL",
            user=by.user_id,
        ),
        most=UPLOADS_AN_HOUR_MAX,
        now=by.now,
    )


async def append(file_id: int, content: bytes) -> None:
    """More of a file that is not complete."""
    await db.execute(
        Sql(
            """
            WITH grown AS (
                UPDATE stored_file fl
                SET size = fl.size + {size}::bigint,
                    chunks = fl.chunks + 1
                WHERE fl.id = {id}::bigint
                RETURNING fl.id, fl.chunks
            )
            INSERT INTO stored_chunk (file_id, number, content)
            SELECT grown.id, grown.chunks, {content}::bytea
            FROM grown
            """,
            id=file_id,
            size=len(content),
            content=content,
        )
    )


async def delete(file_id: int) -> None:
    """A file that nobody wants."""
    await db.execute(Sql("DELETE FROM stored_file fl WHERE fl.id = {id}::bigint", id=file_id))


async def complete(file_id: int, *, now: datetime, kept: timedelta = KEPT_MADE) -> None:
    """Everything is in it; it is kept for so long from now."""
    await db.execute(
        Sql(
            """
            UPDATE stored_file fl
            SET complete = TRUE,
                expires_at = {until}::timestamptz
            WHERE fl.id = {id}::bigint
            """,
            id=file_id,
            until=now + kept,
        )
    )


async def find(file_id: int, *, now: datetime) -> StoredFile | None:
    """The file, if it is complete and has not expired."""
    row = await db.row(
        Sql(
            """
            SELECT fl.id, fl.name, fl.media_type, fl.size, fl.chunks, fl.user_id, fl.job_id
            FROM stored_file fl
            WHERE fl.id = {id}::bigint
              AND fl.complete
              AND fl.expires_at > {now}::timestamptz
            """,
            id=file_id,
            now=now,
        )
    )
    return None if row is None else StoredFile(**row)


async def find_kept(file_id: int) -> StoredFile | None:
    """The file for a job that needs it, which outlives its hour for that."""
    return await find(file_id, now=datetime.min.replace(tzinfo=UTC))


async def get_own(file_id: int, *, by: Caller) -> StoredFile:
    """Like `find`, for whoever may see it: its owner and admins. Refused: NOT_FOUND at `fileId`."""
    found = await find(file_id, now=by.now)
    if found is None or not (by.role >= Role.ADMIN or found.user_id == by.user_id):
        raise not_found("file", "fileId")
    return found


async def beginning(file: StoredFile) -> bytes:
    """The first piece of the file."""
    async for chunk in content(file):
        return chunk
    return b""


async def content(file: StoredFile) -> AsyncIterator[bytes]:
    """What is in the file, piece by piece."""
    for number in range(1, file.chunks + 1):
        chunk = await db.value(
            Sql(
                """
                SELECT fc.content
                FROM stored_chunk fc
                WHERE fc.file_id = {id}::bigint
                  AND fc.number = {number}::bigint
                """,
                id=file.id,
                number=number,
            )
        )
        if chunk is None:  # it expired while it was being read
            return
        yield bytes(chunk)


def link(base_url: str, *, now: datetime) -> Sql:
    """An address over `stored_file fl` that anybody can read the file under for a quarter of an hour."""
    return Sql(
        """
        CASE WHEN fl.complete THEN concat(
            {base}::text, '/files/', fl.id, '-', {until}::bigint, '-', file_signature(fl.id, {until}::bigint)
        ) END
        """,
        base=base_url,
        until=int(now.timestamp()) + LINK_SECONDS,
    )


async def signature(file_id: int, until: int) -> str:
    """What stands in a link to the file that is good until then (seconds of Unix time)."""
    return await db.value(Sql("SELECT file_signature({id}::bigint, {until}::bigint)", id=file_id, until=until))


async def delete_expired(now: datetime) -> None:
    """Delete what has expired, unless a job at work still needs it."""
    await db.execute(
        Sql(
            """
            DELETE FROM stored_file fl
            WHERE fl.expires_at <= {now}::timestamptz
              AND NOT EXISTS (
                  SELECT
                  FROM job_lease jl
                  JOIN job jb ON jb.id = jl.job_id
                  WHERE jb.id = fl.job_id OR (jb.parameters ->> 'file_id')::bigint = fl.id
              )
            """,
            now=now,
        )
    )
