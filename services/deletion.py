"""Deleting a contact: what is known of it goes for ever, what was counted stays counted, what was sold stays sold."""

from __future__ import annotations

from kit import db
from kit.errors import conflict, not_found
from kit.sql import Sql
from services import settings, suppressions
from services.caller import Caller

PHONE_DIGITS = 8  # so many at the end are compared where a number was typed in


async def delete(contact_id: int, *, by: Caller) -> None:
    """Delete a contact with all that is known of it, for ever (SQ23, SQ24). Its runs end at once; their counts stay.

    Its orders stay as nobody's, without name and addresses; its gifts stay as nobody's. Of an address that had left,
    bounced or was excluded a keyed hash stays, so that it is not written to when it comes back. Deleted with it are its
    account, reviews and submissions, exclusions that spell out its address, and what merges remember of it.

    Refused: NOT_FOUND; ACTIVE_SUBSCRIPTION while it is a member of a plan.
    """
    async with db.transaction():
        runs = Sql("SELECT r.id FROM run r WHERE r.contact_id = {id}::bigint ORDER BY r.id FOR UPDATE", id=contact_id)
        contact = Sql("SELECT c.id FROM contact c WHERE c.id = {id}::bigint FOR UPDATE", id=contact_id)
        await db.execute(runs)  # before the contact, in the order of the engine, which may be moving them
        if await db.value(contact) is None:
            raise not_found("contact", "id")
        await db.execute(runs)  # and those it entered meanwhile; no more can come
        if await db.value(_is_member(contact_id)):
            raise conflict(
                "ACTIVE_SUBSCRIPTION", "This contact is a member of a plan. Cancel the membership first.", "id"
            )
        await db.execute(await _part(contact_id, by))
        await db.execute(_delete(contact_id))
        # A deletion leaves no fact, which would tell those who watch: they are told here.
        await db.execute(Sql("SELECT pg_notify('contact_changed', {id}::bigint::text)", id=contact_id))


def _is_member(contact_id: int) -> Sql:
    return Sql(
        """
        SELECT EXISTS (
            SELECT
            FROM plan_membership pm
            WHERE pm.contact_id = {id}::bigint
              AND pm.status = 'ACTIVE'
        )
        """,
        id=contact_id,
    )


async def _part(contact_id: int, by: Caller) -> Sql:
    """What outlives the contact parts from it; and what knows it without belonging to it goes."""
    known = await settings.read()
    return Sql(
        """
        WITH addresses AS MATERIALIZED ({addresses}),
        {remembered},
        anonymised AS (
            UPDATE shop_order o
            SET contact_id = NULL,
                customer_name = {name}::text,
                customer_email = {email}::text,
                billing_address = NULL,
                shipping_address = NULL,
                updated_at = {now}::timestamptz
            WHERE o.contact_id = {id}::bigint
        ),
        unspelled AS (
            DELETE FROM exclusion ex
            WHERE ex.value IN (SELECT lower(addresses.address) FROM addresses)
        ),
        unmerged AS (
            DELETE FROM contact_merge cm
            WHERE {id}::bigint IN (cm.kept_id, cm.gone_id)
        )
        DELETE FROM form_submission fs
        WHERE fs.contact_id IS NULL
          AND EXISTS (
              SELECT
              FROM jsonb_path_query(fs.answers, 'strict $.**') AS answer (value)
              CROSS JOIN LATERAL (VALUES (answer.value #>> '{}')) AS typed (text)
              CROSS JOIN LATERAL (VALUES (regexp_replace(typed.text, '[^0-9]', '', 'g'))) AS dialled (digits)
              JOIN addresses ON lower(btrim(typed.text)) = lower(addresses.address)
                  OR addresses.channel = 'SMS'
                     AND length(dialled.digits) >= {digits}::integer
                     AND right(dialled.digits, {digits}::integer) = right(addresses.address, {digits}::integer)
          )
        """,
        addresses=suppressions.addresses(contact_id),
        remembered=suppressions.remembered(contact_id, by=by),
        id=contact_id,
        name=known.anonymous_name,
        email=known.no_reply_address,
        now=by.now,
        digits=PHONE_DIGITS,
    )


def _delete(contact_id: int) -> Sql:
    """Everything that hangs on the contact by a foreign key goes with its row; the rest is named here."""
    return Sql(
        """
        WITH known AS (
            SELECT r.id, r.automation_id, r.ended_at
            FROM run r
            WHERE r.contact_id = {id}::bigint
        ),
        ended AS (
            INSERT INTO run_count (automation_id, end_reason, n)
            SELECT known.automation_id, 'CONTACT_DELETED', count(*)
            FROM known
            WHERE known.ended_at IS NULL
            GROUP BY known.automation_id
        ),
        left_steps AS (
            DELETE FROM visit i
            WHERE i.run_id IN (SELECT known.id FROM known)
            RETURNING i.step_id, i.status
        ),
        counted AS (
            INSERT INTO visit_count (step_id, status, reason, n)
            SELECT gone.step_id, w.status::visit_status, w.reason, w.sign * gone.n
            FROM (
                SELECT left_steps.step_id, count(*) AS n
                FROM left_steps
                WHERE left_steps.status = 'IN_PROGRESS'
                GROUP BY left_steps.step_id
            ) AS gone
            CROSS JOIN (
                VALUES ('IN_PROGRESS', NULL, -1), ('SKIPPED', 'CONTACT_DELETED', 1)
            ) AS w (status, reason, sign)
        ),
        forgotten AS (DELETE FROM event e WHERE e.contact_id = {id}::bigint RETURNING e.id),
        unheard AS (DELETE FROM pending_event pe WHERE pe.event_id IN (SELECT forgotten.id FROM forgotten))
        DELETE FROM contact c WHERE c.id = {id}::bigint
        """,
        id=contact_id,
    )
