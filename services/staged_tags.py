"""The tags that a batch names: made where there are none, and given to everybody in it."""

from __future__ import annotations

from collections.abc import Sequence

from kit import db
from kit.sql import Sql
from services import facts
from services.caller import Caller


async def new() -> list[str]:
    """The tags that are named and not there, each once, in the order of the file."""
    return await db.column(
        Sql(
            """
            SELECT DISTINCT ON (min(staged_contact.n), lower(w.name)) min(w.name)
            FROM staged_contact
            CROSS JOIN LATERAL unnest(staged_contact.tags) AS w (name)
            WHERE NOT EXISTS (SELECT FROM tag t WHERE lower(t.name) = lower(w.name))
            GROUP BY lower(w.name)
            ORDER BY min(staged_contact.n), lower(w.name)
            """
        )
    )


async def make(names: Sequence[str], *, by: Caller) -> None:
    """These tags, where there is none of that name."""
    await db.execute(
        Sql(
            """
            INSERT INTO tag (name, created_at)
            SELECT w.name, {now}::timestamptz
            FROM unnest({names}::text[]) AS w (name)
            ORDER BY lower(w.name)
            ON CONFLICT DO NOTHING
            """,
            names=list(names),
            now=by.now,
        )
    )


async def give(*, by: Caller) -> None:
    """Everybody, new or not, gets the tags of their rows; who had not all of them is marked `is_tagged`."""
    await db.execute(
        Sql(
            """
            WITH given AS (
                INSERT INTO contact_tag (contact_id, tag_id, added_at)
                SELECT DISTINCT staged_contact.contact_id, t.id, {now}::timestamptz
                FROM staged_contact
                CROSS JOIN LATERAL unnest(staged_contact.tags) AS w (name)
                JOIN tag t ON lower(t.name) = lower(w.name)
                ORDER BY staged_contact.contact_id, t.id
                ON CONFLICT DO NOTHING
                RETURNING contact_id, tag_id
            ),
            {facts}
            UPDATE staged_contact
            SET is_tagged = TRUE
            FROM (SELECT DISTINCT given.contact_id FROM given) AS tagged
            WHERE tagged.contact_id = staged_contact.contact_id
            """,
            now=by.now,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT given.contact_id, 'TAG_ADDED', given.tag_id, jsonb_build_object('tag', t.name)
                    FROM given
                    JOIN tag t ON t.id = given.tag_id
                    """
                ),
                by=by,
            ),
        )
    )


async def lines(names: Sequence[str]) -> list[int]:
    """Where in the file contacts are first named who were to have one of these tags."""
    return await db.column(
        Sql(
            """
            SELECT staged_contact.lines[1]
            FROM staged_contact
            WHERE EXISTS (
                SELECT
                FROM unnest(staged_contact.tags) AS w (name)
                JOIN unnest({names}::text[]) AS untold (name) ON lower(untold.name) = lower(w.name)
            )
            ORDER BY 1
            """,
            names=list(names),
        )
    )
