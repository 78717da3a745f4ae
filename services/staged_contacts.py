"""What a batch says of contacts becomes theirs: new ones are made in the order of the file, others are changed."""

from __future__ import annotations

from kit import db
from kit.sql import Sql
from services import facts
from services.caller import Caller


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


async def create(*, by: Caller) -> None:
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


async def update(*, by: Caller) -> None:
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
