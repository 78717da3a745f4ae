"""What came of a batch: how many were made, changed and left alone, and on which lines of the file."""

from __future__ import annotations

from typing import Any

from kit import db
from kit.sql import Sql


async def tally() -> dict[str, Any]:
    """What came of the rows: numbers `created updated unchanged`, and the lines of `duplicates`."""
    row = await db.row(
        Sql(
            """
            WITH standing AS (
                SELECT cardinality(staged_contact.lines) AS rows, staged_contact.is_changed
                FROM staged_contact
                WHERE NOT staged_contact.is_new
                  AND NOT staged_contact.is_repeated
            )
            SELECT
                (SELECT count(*) FROM staged_contact WHERE staged_contact.is_new) AS created,
                (SELECT coalesce(sum(standing.rows), 0)::bigint FROM standing WHERE standing.is_changed) AS updated,
                (SELECT coalesce(sum(standing.rows), 0)::bigint FROM standing WHERE NOT standing.is_changed)
                    AS unchanged,
                ARRAY(
                    SELECT unnest(
                        CASE WHEN staged_contact.is_new THEN staged_contact.lines[2:] ELSE staged_contact.lines END
                    )
                    FROM staged_contact
                    WHERE staged_contact.is_new OR staged_contact.is_repeated
                ) AS duplicates
            """
        )
    )
    assert row is not None
    return row


async def lines(contacts: set[int]) -> list[int]:
    """Where in the file these contacts are first named."""
    return await db.column(
        Sql(
            """
            SELECT staged_contact.lines[1]
            FROM staged_contact
            WHERE staged_contact.contact_id = ANY({contacts}::bigint[])
            ORDER BY 1
            """,
            contacts=list(contacts),
        )
    )


async def by_person() -> list[dict[str, Any]]:
    """What came of everybody in the batch: `lines contact_id is_new is_changed`; tags count as a change here."""
    return await db.rows(
        Sql(
            """
            SELECT
                staged_contact.lines, staged_contact.contact_id, staged_contact.is_new,
                staged_contact.is_changed OR staged_contact.is_tagged AS is_changed
            FROM staged_contact
            """
        )
    )
