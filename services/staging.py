"""A batch of an import on its way into the contacts: copied beside them, matched, and taken over set by set.

Every function is one statement for the whole batch, and all belong to one transaction, in the order of this file. The
tables of a batch are temporary: nobody else sees them, they are in no log, and they are gone with the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kit import db
from kit.sql import Sql
from services import facts
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


async def make_companies(*, update: bool, by: Caller) -> None:
    """The companies that are named by contacts whose values will be taken, where there is none of that name."""
    await db.execute(
        Sql(
            """
            INSERT INTO company (name, created_at)
            SELECT DISTINCT ON (lower(staged_contact.company)) staged_contact.company, {now}::timestamptz
            FROM staged_contact
            WHERE (staged_contact.contact_id IS NULL OR {update}::boolean)
              AND NOT EXISTS (SELECT FROM company co WHERE lower(co.name) = lower(staged_contact.company))
              AND staged_contact.company IS NOT NULL
            ORDER BY lower(staged_contact.company), staged_contact.n
            ON CONFLICT DO NOTHING
            """,
            update=update,
            now=by.now,
        )
    )


async def create_contacts(*, by: Caller) -> None:
    """Everybody who was not found, in the order of the file. Whom another writer made meanwhile is left to `match`."""
    await db.execute(
        Sql(
            """
            WITH made AS (
                INSERT INTO contact (
                    email, phone, first_name, last_name, job_title, company_id, lifecycle_stage, external_source,
                    external_id, origin, created_at, updated_at
                )
                SELECT
                    staged_contact.email, staged_contact.phone, staged_contact.first_name, staged_contact.last_name,
                    staged_contact.job_title, co.id, coalesce(staged_contact.lifecycle_stage, 'SUBSCRIBER'),
                    staged_contact.external_source, staged_contact.external_id, {origin}::text, {now}::timestamptz,
                    {now}::timestamptz
                FROM staged_contact
                LEFT JOIN company co ON lower(co.name) = lower(staged_contact.company)
                WHERE staged_contact.contact_id IS NULL
                ORDER BY staged_contact.n
                ON CONFLICT DO NOTHING
                RETURNING id, coalesce(email, phone) AS identity
            ),
            {facts}
            UPDATE staged_contact
            SET contact_id = made.id,
                is_new = TRUE
            FROM made
            WHERE made.identity = coalesce(staged_contact.email, staged_contact.phone)
            """,
            origin=by.via,
            now=by.now,
            facts=facts.recorded(Sql("SELECT made.id, 'CONTACT_CREATED', NULL::bigint, NULL::jsonb FROM made"), by=by),
        )
    )


async def unmatched() -> int:
    """How many are neither found nor made: another writer made them and they are gone again."""
    return await db.value(Sql("SELECT count(*) FROM staged_contact WHERE staged_contact.contact_id IS NULL"))


async def update_contacts(*, by: Caller) -> None:
    """The cells that are not empty change the contacts that were there before; a fact for each real change."""
    await db.execute(
        Sql(
            """
            WITH changed AS (
                UPDATE contact c
                SET phone = coalesce(staged_contact.phone, c.phone),
                    first_name = coalesce(staged_contact.first_name, c.first_name),
                    last_name = coalesce(staged_contact.last_name, c.last_name),
                    job_title = coalesce(staged_contact.job_title, c.job_title),
                    company_id = coalesce(co.id, c.company_id),
                    lifecycle_stage = coalesce(staged_contact.lifecycle_stage, c.lifecycle_stage),
                    updated_at = {now}::timestamptz
                FROM staged_contact
                LEFT JOIN company co ON lower(co.name) = lower(staged_contact.company)
                WHERE c.id = staged_contact.contact_id
                  AND NOT staged_contact.is_new
                  AND (c.phone, c.first_name, c.last_name, c.job_title, c.company_id, c.lifecycle_stage)
                      IS DISTINCT FROM (
                          coalesce(staged_contact.phone, c.phone),
                          coalesce(staged_contact.first_name, c.first_name),
                          coalesce(staged_contact.last_name, c.last_name),
                          coalesce(staged_contact.job_title, c.job_title),
                          coalesce(co.id, c.company_id),
                          coalesce(staged_contact.lifecycle_stage, c.lifecycle_stage)
                      )
                RETURNING
                    c.id AS contact_id, staged_contact.n,
                    old.phone AS old_phone, new.phone AS new_phone,
                    old.first_name AS old_first_name, new.first_name AS new_first_name,
                    old.last_name AS old_last_name, new.last_name AS new_last_name,
                    old.job_title AS old_job_title, new.job_title AS new_job_title,
                    old.company_id AS old_company_id, new.company_id AS new_company_id,
                    old.lifecycle_stage AS old_stage, new.lifecycle_stage AS new_stage
            ),
            {facts}
            UPDATE staged_contact
            SET is_changed = TRUE
            FROM changed
            WHERE changed.n = staged_contact.n
            """,
            now=by.now,
            facts=facts.recorded(_CHANGED_ATTRIBUTES, by=by),
        )
    )


_CHANGED_ATTRIBUTES = Sql(
    """
    SELECT
        changed.contact_id, w.kind, NULL::bigint,
        jsonb_build_object('name', w.name, 'from', w.before, 'to', w.after)
    FROM changed
    CROSS JOIN LATERAL (
        VALUES
            ('FIELD_CHANGED', 'phone', changed.old_phone, changed.new_phone),
            ('FIELD_CHANGED', 'firstName', changed.old_first_name, changed.new_first_name),
            ('FIELD_CHANGED', 'lastName', changed.old_last_name, changed.new_last_name),
            ('FIELD_CHANGED', 'jobTitle', changed.old_job_title, changed.new_job_title),
            (
                'FIELD_CHANGED',
                'company',
                (SELECT co.name FROM company co WHERE co.id = changed.old_company_id),
                (SELECT co.name FROM company co WHERE co.id = changed.new_company_id)
            ),
            ('LIFECYCLE_CHANGED', 'lifecycleStage', changed.old_stage, changed.new_stage)
    ) AS w (kind, name, before, after)
    WHERE w.before IS DISTINCT FROM w.after
    """
)


async def fill_fields(*, update: bool, by: Caller) -> None:
    """The values of custom fields: all of new contacts, and with `update` the changed ones of the others."""
    await db.execute(
        Sql(
            """
            WITH filled AS (
                INSERT INTO field_value AS v (
                    contact_id, field_id, value, text_value, number_value, date_value, time_value
                )
                SELECT DISTINCT ON (staged_contact.contact_id, staged_value.field_id)
                    staged_contact.contact_id, staged_value.field_id, staged_value.value, staged_value.text_value,
                    staged_value.number_value, staged_value.date_value, staged_value.time_value
                FROM staged_value
                JOIN staged_contact USING (n)
                WHERE staged_contact.is_new OR {update}::boolean
                ORDER BY staged_contact.contact_id, staged_value.field_id, staged_contact.n DESC
                ON CONFLICT (contact_id, field_id) DO UPDATE SET
                    value = excluded.value,
                    text_value = excluded.text_value,
                    number_value = excluded.number_value,
                    date_value = excluded.date_value,
                    time_value = excluded.time_value
                WHERE v.value IS DISTINCT FROM excluded.value
                RETURNING v.contact_id, v.field_id, old.value AS before, new.value AS after
            ),
            changed AS MATERIALIZED (
                SELECT filled.*
                FROM filled
                JOIN staged_contact USING (contact_id)
                WHERE NOT staged_contact.is_new
            ),
            moved AS (
                UPDATE contact c
                SET updated_at = {now}::timestamptz
                WHERE c.id IN (SELECT changed.contact_id FROM changed)
            ),
            {facts}
            UPDATE staged_contact
            SET is_changed = TRUE
            FROM changed
            WHERE changed.contact_id = staged_contact.contact_id
            """,
            update=update,
            now=by.now,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT
                        changed.contact_id, 'FIELD_CHANGED', changed.field_id,
                        jsonb_build_object('name', f.name, 'from', changed.before, 'to', changed.after)
                    FROM changed
                    JOIN field f ON f.id = changed.field_id
                    """
                ),
                by=by,
            ),
        )
    )


async def new_tags() -> list[str]:
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


async def make_tags(names: Sequence[str], *, by: Caller) -> None:
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


async def give_tags(*, by: Caller) -> None:
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


async def lines_tagged(names: Sequence[str]) -> list[int]:
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


async def lines_of(contacts: set[int]) -> list[int]:
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


async def outcomes() -> list[dict[str, Any]]:
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
