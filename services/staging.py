"""A batch of an import on its way into the contacts: copied beside them, and matched with those that are there.

Then it is taken over set by set (`services/staged_contacts.py`, `services/staged_tags.py`), and what came of it is told
(`services/staged_outcomes.py`). Every function is one statement for the whole batch, and all belong to one transaction.
The tables of a batch are temporary: nobody else sees them, they are in no log, and they are gone with the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kit import db
from kit.sql import Sql
from services.caller import Caller

_CONTACT_COLUMNS = ["n", "lines", "email", "phone", "first_name", "last_name", "job_title", "company"]
_CONTACT_COLUMNS += ["lifecycle_stage", "tags", "external_source", "external_id"]
_VALUE_COLUMNS = ["n", "field_id", "value", "text_value", "number_value", "date_value", "time_value"]


async def copy(contacts: Sequence[tuple[Any, ...]], values: Sequence[tuple[Any, ...]]) -> None:
    """Make the tables of this transaction and fill them, as `services/incoming.py` lays the rows out."""
    await db.execute(
        Sql(
            """
            CREATE TEMPORARY TABLE staged_contact (
                n               integer NOT NULL,
                lines           bigint[] NOT NULL,
                email           text,
                phone           text,
                first_name      text,
                last_name       text,
                job_title       text,
                company         text,
                lifecycle_stage text,
                tags            text[] NOT NULL,
                external_source text,
                external_id     text,
                contact_id      bigint,
                is_new          boolean NOT NULL DEFAULT FALSE,
                is_repeated     boolean NOT NULL DEFAULT FALSE,
                is_changed      boolean NOT NULL DEFAULT FALSE,
                is_tagged       boolean NOT NULL DEFAULT FALSE
            ) ON COMMIT DROP
            """
        )
    )
    await db.execute(
        Sql(
            """
            CREATE TEMPORARY TABLE staged_value (
                n            integer NOT NULL,
                field_id     bigint NOT NULL,
                value        jsonb NOT NULL,
                text_value   text,
                number_value numeric,
                date_value   date,
                time_value   timestamptz
            ) ON COMMIT DROP
            """
        )
    )
    async with db.raw() as connection:
        await connection.copy_records_to_table("staged_contact", records=contacts, columns=_CONTACT_COLUMNS)
        await connection.copy_records_to_table("staged_value", records=values, columns=_VALUE_COLUMNS)


async def match(*, since: datetime, update: bool, by: Caller) -> None:
    """Find the contacts there are already, by domain.md 5.2, and lock them in the order of their ids.

    One that this import itself (begun at `since`) has created is marked `is_repeated`.
    """
    await db.execute(
        Sql(
            """
            WITH found AS (
                SELECT staged_contact.n, staged_contact.email, staged_contact.phone, c.id
                FROM staged_contact
                JOIN contact c ON lower(c.email) = lower(staged_contact.email)
                WHERE staged_contact.contact_id IS NULL
                UNION ALL
                SELECT staged_contact.n, staged_contact.email, staged_contact.phone, c.id
                FROM staged_contact
                JOIN contact c ON c.phone = staged_contact.phone AND c.email IS NULL
                WHERE staged_contact.contact_id IS NULL
                  AND staged_contact.email IS NULL
            ),
            standing AS MATERIALIZED (
                SELECT found.n, c.id, c.origin, c.created_at
                FROM found
                JOIN contact c ON c.id = found.id
                WHERE lower(c.email) = lower(found.email)
                   OR (found.email IS NULL AND c.email IS NULL AND c.phone = found.phone)
                ORDER BY c.id
                {lock}
            )
            UPDATE staged_contact
            SET contact_id = standing.id,
                is_repeated = standing.origin = {via}::text AND standing.created_at >= {since}::timestamptz AND EXISTS (
                    SELECT
                    FROM event e
                    WHERE e.contact_id = standing.id
                      AND e.kind = 'CONTACT_CREATED'
                      AND e.actor = {actor}::text
                )
            FROM standing
            WHERE standing.n = staged_contact.n
            """,
            lock=Sql("FOR NO KEY UPDATE OF c") if update else Sql("FOR KEY SHARE OF c"),
            since=since,
            via=by.via,
            actor=by.actor,
        )
    )


async def leave_out(condition: Sql) -> list[int]:
    """Take those out of the batch who are not there yet and for whom the condition holds; their lines in the file."""
    return await db.column(
        Sql(
            """
            WITH gone AS (
                DELETE FROM staged_contact
                WHERE staged_contact.contact_id IS NULL
                  AND {condition}
                RETURNING staged_contact.lines
            )
            SELECT unnest(gone.lines) AS line
            FROM gone
            ORDER BY line
            """,
            condition=condition,
        )
    )


async def unmatched() -> int:
    """How many are neither found nor made: another writer made them and they are gone again."""
    return await db.value(Sql("SELECT count(*) FROM staged_contact WHERE staged_contact.contact_id IS NULL"))


EVERYBODY = Sql("SELECT staged_contact.contact_id AS id FROM staged_contact")
"""The contacts of the batch, for verbs that take a set."""

NOT_GONE = Sql(
    """
    SELECT c.id
    FROM staged_contact
    JOIN contact c ON c.id = staged_contact.contact_id
    WHERE c.marketing_revoked_at IS NULL
      AND NOT EXISTS (SELECT FROM membership m WHERE m.contact_id = c.id AND m.status IN ('UNSUBSCRIBED', 'BOUNCED'))
    """
)
"""Those of them who have not said, anywhere, that they want no marketing."""
