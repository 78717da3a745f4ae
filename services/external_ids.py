"""Contacts by the ids of another system: who changed the address there is still the same one here."""

from __future__ import annotations

from collections.abc import Mapping

from kit import db
from kit.sql import Sql
from services import facts
from services.caller import Caller


async def follow(source: str, addresses: Mapping[str, str], *, update: bool, by: Caller) -> set[str]:
    """Who is known by one of these ids has another address over there now, and gets it. Where somebody has that address
    already, nothing happens: then that one is meant.

    Without `update` nobody gets anything; the answer is then the ids of those who would.
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
        return set(await db.column(Sql("WITH {known} SELECT known.external_id FROM known", known=known)))
    await db.execute(
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
            SELECT
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
    return set()


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
