"""What would come of an import, row by row to its last one, without doing it (SQ5)."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

from kit import db
from kit.sql import Sql
from services.incoming import Incoming, Person, Problems

PROBLEMS_SHOWN = 100


async def begin(job_id: int, rows: int) -> None:
    """Nothing has been looked at yet."""
    await db.execute(
        Sql(
            "INSERT INTO import_preview (job_id, rows) VALUES ({job}::bigint, {rows}::bigint)",
            job=job_id,
            rows=rows,
        )
    )


async def rows_done(job_id: int) -> int:
    """So many rows have been looked at."""
    return await db.value(Sql("SELECT ip.rows_done FROM import_preview ip WHERE ip.job_id = {job}::bigint", job=job_id))


async def add(job_id: int, batch: Incoming, list_id: int | None, *, key: bytes) -> None:
    """The next rows of the file. Nobody is counted twice: whom rows before spoke of is known by `key`."""
    fresh = await _not_seen(job_id, batch.people, key)
    found = await count(fresh, list_id)
    await db.execute(
        Sql(
            """
            UPDATE import_preview ip
            SET rows_done = ip.rows_done + {rows}::bigint,
                created = ip.created + {created}::bigint,
                existing = ip.existing + {existing}::bigint,
                unsubscribed = ip.unsubscribed + {gone}::bigint,
                bad = ip.bad + {bad}::bigint,
                duplicates = ip.duplicates + {duplicates}::bigint,
                problems = CASE
                    WHEN jsonb_array_length(ip.problems) < {shown}::integer
                    THEN jsonb_path_query_array(ip.problems || {problems}::jsonb, '$[0 to 99]')
                    ELSE ip.problems
                END
            WHERE ip.job_id = {job}::bigint
            """,
            job=job_id,
            rows=batch.rows,
            created=len(fresh) - found["existing"],
            existing=found["existing"],
            gone=found["gone"],
            bad=batch.refused,
            duplicates=batch.rows - batch.refused - len(fresh),
            shown=PROBLEMS_SHOWN,
            problems=db.jsonb(told(batch.problems)),
        )
    )


def told(problems: Problems) -> list[dict[str, Any]]:
    """The first of them, as they are shown."""
    return [
        {"line": line, "severity": severity, "column": column, "code": fault.code, "message": fault.message}
        for line, severity, column, fault in problems[:PROBLEMS_SHOWN]
    ]


async def count(people: Sequence[Person], list_id: int | None) -> dict[str, int]:
    """How many of them are there already, and how many have left the list (without one: any) or bounced off it."""
    row = await db.row(
        Sql(
            """
            WITH given AS (
                SELECT w.email, w.phone
                FROM unnest({emails}::text[], {phones}::text[]) AS w (email, phone)
            ),
            found AS (
                SELECT
                    given.email, given.phone,
                    coalesce(
                        (SELECT c.id FROM contact c WHERE lower(c.email) = lower(given.email)),
                        (SELECT c.id
                         FROM contact c
                         WHERE given.email IS NULL AND c.email IS NULL AND c.phone = given.phone)
                    ) AS id
                FROM given
            )
            SELECT
                count(found.id) AS existing,
                count(*) FILTER (
                    WHERE EXISTS (
                        SELECT
                        FROM membership m
                        WHERE m.contact_id = found.id
                          AND m.status IN ('UNSUBSCRIBED', 'BOUNCED')
                          AND ({list}::bigint IS NULL OR m.list_id = {list}::bigint)
                    )
                    OR EXISTS (SELECT FROM suppression)
                       AND EXISTS (
                           SELECT
                           FROM suppression sp
                           WHERE sp.hash = address_hash(coalesce(found.email, found.phone))
                             AND sp.reason <> 'EXCLUDED'
                       )
                ) AS gone
            FROM found
            """,
            emails=[person.email for person in people],
            phones=[person.phone for person in people],
            list=list_id,
        )
    )
    assert row is not None
    return row


async def _not_seen(job_id: int, people: Sequence[Person], key: bytes) -> list[Person]:
    named = {UUID(bytes=blake2b(each.identity.encode(), digest_size=16, key=key).digest()): each for each in people}
    fresh = await db.column(
        Sql(
            """
            INSERT INTO previewed_person (job_id, person)
            SELECT {job}::bigint, w.person
            FROM unnest({people}::uuid[]) AS w (person)
            ORDER BY w.person
            ON CONFLICT DO NOTHING
            RETURNING person
            """,
            job=job_id,
            people=list(named),
        )
    )
    return [named[each] for each in fresh]


async def end(job_id: int) -> None:
    """Nobody who is in the file is known here any more; the counts stay as long as the job."""
    await db.execute(Sql("DELETE FROM previewed_person pp WHERE pp.job_id = {job}::bigint", job=job_id))
