"""Contacts by the ids of another system: who changed the address there is still the same one here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kit import db
from kit.sql import Sql
from services import facts
from services.caller import Caller


@dataclass(slots=True)
class Followed:
    """Contacts who got another address, and the ids of those who would have."""

    moved: set[int] = field(default_factory=set)
    staying: set[str] = field(default_factory=set)


async def follow(source: str, addresses: Mapping[str, str], *, update: bool, by: Caller) -> Followed:
    """Who is known by one of these ids has another address over there now, and gets it. Where somebody has that address
    already, nothing happens: then that one is meant.

    Without `update` nobody gets anything.
    """
    known = Sql(
        """
        known AS MATERIALIZED (
            SELECT c.id, w.external_id, c.email AS before, w.email AS after
            FROM unnest({ids}::text[], {emails}::text[]) AS w (external_id, email)
            JOIN contact c ON coalesce(c.external_source, '') = {source}::text AND c.external_id = w.external_id
            WHERE lower(c.email) IS DISTINCT FROM lower(w.email)
              AND NOT EXISTS (SELECT FROM contact other WHERE lower(other.email) = lower(w.email))
            ORDER BY c.id
            FOR NO KEY UPDATE OF c
        )
        """,
        ids=list(addresses),
        emails=list(addresses.values()),
        source=source,
    )
    if not update:
        would = Sql("WITH {known} SELECT known.external_id FROM known", known=known)
        return Followed(staying=set(await db.column(would)))
    moved = await db.column(
        Sql(
            """
            WITH {known},
            moved AS (
                UPDATE contact c
                SET email = meant.after,
                    updated_at = {now}::timestamptz
                FROM (
                    SELECT DISTINCT ON (lower(known.after)) known.id, known.before, known.after
                    FROM known
                    ORDER BY lower(known.after), known.id
                ) AS meant
                WHERE c.id = meant.id
                RETURNING c.id, meant.before, meant.after
            ),
            {facts}
            SELECT moved.id FROM moved
            """,
            known=known,
            now=by.now,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT
                        moved.id, 'FIELD_CHANGED', NULL::bigint,
                        jsonb_build_object('name', 'email', 'from', moved.before, 'to', moved.after)
                    FROM moved
                    """
                ),
                by=by,
            ),
        )
    )
    return Followed(moved=set(moved))


async def taken(source: str, ids: Iterable[str]) -> set[str]:
    """Which of these ids somebody has already."""
    return set(
        await db.column(
            Sql(
                """
                SELECT c.external_id
                FROM contact c
                WHERE coalesce(c.external_source, '') = {source}::text
                  AND c.external_id = ANY({ids}::text[])
                """,
                source=source,
                ids=list(ids),
            )
        )
    )


async def rows_unchanged_besides(contacts: set[int]) -> int:
    """How many rows of the batch changed nothing of these contacts but the address that `follow` gave them."""
    return await db.value(
        Sql(
            """
            SELECT coalesce(sum(cardinality(staged_contact.lines)), 0)::bigint
            FROM staged_contact
            WHERE staged_contact.contact_id = ANY({contacts}::bigint[])
              AND NOT staged_contact.is_changed
              AND NOT staged_contact.is_new
              AND NOT staged_contact.is_repeated
            """,
            contacts=list(contacts),
        )
    )


async def note(source: str, ids: Mapping[int, str]) -> list[int]:
    """Note what the other system calls the contacts of the batch, by the lines they are first named on.

    In the transaction of the batch, whose contacts lie in `staged_contact`. Who has an id keeps it. The lines of those
    who have another id than this afterwards, or whose id is another contact's.
    """
    await db.execute(
        Sql(
            """
            UPDATE contact c
            SET external_source = {source}::text,
                external_id = meant.external_id
            FROM (
                SELECT DISTINCT ON (w.external_id) staged_contact.contact_id, w.external_id
                FROM unnest({lines}::bigint[], {ids}::text[]) AS w (line, external_id)
                JOIN staged_contact ON staged_contact.lines[1] = w.line
                ORDER BY w.external_id, w.line
            ) AS meant
            WHERE c.id = meant.contact_id
              AND c.external_id IS NULL
              AND NOT EXISTS (
                  SELECT
                  FROM contact other
                  WHERE coalesce(other.external_source, '') = {source}::text
                    AND other.external_id = meant.external_id
              )
            """,
            source=source,
            lines=list(ids),
            ids=list(ids.values()),
        )
    )
    return await db.column(
        Sql(
            """
            SELECT w.line
            FROM unnest({lines}::bigint[], {ids}::text[]) AS w (line, external_id)
            JOIN staged_contact ON staged_contact.lines[1] = w.line
            JOIN contact c ON c.id = staged_contact.contact_id
            WHERE (coalesce(c.external_source, ''), c.external_id) IS DISTINCT FROM ({source}::text, w.external_id)
            ORDER BY w.line
            """,
            source=source,
            lines=list(ids),
            ids=list(ids.values()),
        )
    )
