"""What would come of an import, row by row to its last one, without doing it (SQ5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from uuid import UUID

from kit import db
from kit.errors import Problem
from kit.sql import Sql
from services import identity, jobs, settings
from services.incoming import Incoming, Person, Problems

PROBLEMS_SHOWN = 100
END_SECONDS_MAX = 60


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


async def add(job_id: int, batch: Incoming, list_id: int | None, *, key: bytes) -> Counts:
    """The next rows of the file. Nobody is counted twice: whom rows before spoke of is known by `key`."""
    named = {
        UUID(bytes=blake2b(each.identity.encode(), digest_size=16, key=key).digest()): each for each in batch.people
    }
    found = await count(batch, list_id, people=await _not_seen(job_id, named), made=await _made(job_id))
    taken = set(map(id, found.taken))
    await _remember(job_id, [each for each, person in named.items() if id(person) in taken])
    await db.execute(
        Sql(
            """
            UPDATE import_preview ip
            SET rows_done = ip.rows_done + {rows}::bigint,
                created = ip.created + {new}::bigint,
                existing = ip.existing + {existing}::bigint,
                unsubscribed = ip.unsubscribed + {gone}::bigint,
                bad = ip.bad + {bad}::bigint,
                duplicates = ip.duplicates + {duplicates}::bigint,
                problems = jsonb_path_query_array(ip.problems || {problems}::jsonb, {shown}::jsonpath)
            WHERE ip.job_id = {job}::bigint
            """,
            job=job_id,
            rows=batch.rows,
            new=found.new,
            existing=found.existing,
            gone=found.unsubscribed,
            bad=found.bad,
            duplicates=found.duplicates,
            problems=db.jsonb(found.problems),
            shown=f"$[0 to {PROBLEMS_SHOWN - 1}]",
        )
    )
    return found


@dataclass(frozen=True, slots=True)
class Counts:
    """What would come of some rows. `taken` are whom they speak of, once each; `problems` are the first, as shown."""

    new: int
    existing: int
    unsubscribed: int
    bad: int
    duplicates: int
    problems: list[dict[str, Any]]
    taken: list[Person]


async def count(
    batch: Incoming, list_id: int | None, *, people: Sequence[Person] | None = None, made: int = 0
) -> Counts:
    """How many of these rows' people are there already, and have left the list (without one: any) or bounced off it.

    Only `people` are looked at, all others are known from earlier rows, by which `made` contacts would be. Whom the
    account would not take in is bad: telephones alone (AC3), too many contacts (Q16).
    """
    people = batch.people if people is None else people
    strangers, gone = await _found(people, list_id)
    faults = await _beyond_settings([people[place] for place in sorted(strangers)], made)
    refused = [(line, "REFUSED", None, fault) for person, fault in faults for line in person.lines]
    left_out = {id(person) for person, _ in faults}
    taken = [person for person in people if id(person) not in left_out]
    bad = batch.refused + len(refused)
    return Counts(
        new=len(strangers) - len(faults),
        existing=len(people) - len(strangers),
        unsubscribed=sum(id(people[place]) not in left_out for place in gone),
        bad=bad,
        duplicates=batch.rows - bad - len(taken),
        problems=told(sorted([*batch.problems, *refused], key=lambda noted: noted[0])),
        taken=taken,
    )


async def _found(people: Sequence[Person], list_id: int | None) -> tuple[set[int], set[int]]:
    """The places of those who are no contacts yet, and of those who have left."""
    row = await db.row(
        Sql(
            """
            WITH given AS (
                SELECT w.email, w.phone, w.place - 1 AS place
                FROM unnest({emails}::text[], {phones}::text[]) WITH ORDINALITY AS w (email, phone, place)
            ),
            found AS (
                SELECT
                    given.place, given.email, given.phone,
                    coalesce(
                        (SELECT c.id FROM contact c WHERE lower(c.email) = lower(given.email)),
                        (SELECT c.id
                         FROM contact c
                         WHERE given.email IS NULL AND c.email IS NULL AND c.phone = given.phone)
                    ) AS id
                FROM given
            )
            SELECT
                array_agg(found.place) FILTER (WHERE found.id IS NULL) AS strangers,
                array_agg(found.place) FILTER (
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
    return set(row["strangers"] or ()), set(row["gone"] or ())


async def _beyond_settings(strangers: Sequence[Person], made: int) -> list[tuple[Person, Problem]]:
    """Whom of these, in the order of the file, an import would leave out."""
    wanted = await settings.read()
    found: list[tuple[Person, Problem]] = []
    if not wanted.phone_only_contacts_enabled:
        found = [(each, identity.PHONE_ONLY_DISABLED) for each in strangers if each.email is None]
        strangers = [each for each in strangers if each.email is not None]
    if wanted.contact_limit is not None:
        room = max(0, wanted.contact_limit - made - await db.value(Sql("SELECT contact_count()")))
        found += [(each, identity.CONTACT_LIMIT) for each in strangers[room:]]
    return found


def told(problems: Problems) -> list[dict[str, Any]]:
    """The first of them, as they are shown."""
    return [
        {"line": line, "severity": severity, "column": column, "code": fault.code, "message": fault.message}
        for line, severity, column, fault in problems[:PROBLEMS_SHOWN]
    ]


async def _made(job_id: int) -> int:
    return await db.value(Sql("SELECT ip.created FROM import_preview ip WHERE ip.job_id = {job}::bigint", job=job_id))


async def _not_seen(job_id: int, named: Mapping[UUID, Person]) -> list[Person]:
    """Those of whom no row before has spoken, in the order of the file."""
    seen = await db.column(
        Sql(
            """
            SELECT pp.person
            FROM previewed_person pp
            WHERE pp.job_id = {job}::bigint
              AND pp.person = ANY({people}::uuid[])
            """,
            job=job_id,
            people=list(named),
        )
    )
    known = set(seen)
    return [person for each, person in named.items() if each not in known]


async def _remember(job_id: int, people: Sequence[UUID]) -> None:
    await db.execute(
        Sql(
            """
            INSERT INTO previewed_person (job_id, person)
            SELECT {job}::bigint, w.person
            FROM unnest({people}::uuid[]) AS w (person)
            ORDER BY w.person
            """,
            job=job_id,
            people=list(people),
        )
    )


async def end(job_id: int) -> None:
    """Nobody who is in the file is known here any more; the counts stay as long as the job."""
    forgotten = Sql("DELETE FROM previewed_person pp WHERE pp.job_id = {job}::bigint", job=job_id)
    await jobs.patiently(forgotten, seconds=END_SECONDS_MAX)
