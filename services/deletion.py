"""Deleting a contact: what is known of it goes for ever, what was counted stays counted."""

from __future__ import annotations

from kit import db
from kit.errors import not_found
from kit.sql import Sql
from services.caller import Caller


async def delete(contact_id: int, *, by: Caller) -> None:
    """Delete a contact with all that is known of it, for ever. Its runs end at once; their counts stay.

    Refused: NOT_FOUND.
    """
    async with db.transaction():
        runs = Sql("SELECT r.id FROM run r WHERE r.contact_id = {id}::bigint ORDER BY r.id FOR UPDATE", id=contact_id)
        contact = Sql("SELECT c.id FROM contact c WHERE c.id = {id}::bigint FOR UPDATE", id=contact_id)
        await db.execute(runs)  # before the contact, in the order of the engine, which may be moving them
        if await db.value(contact) is None:
            raise not_found("contact", "id")
        await db.execute(runs)  # and those it entered meanwhile; no more can come
        await db.execute(_delete(contact_id))


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
