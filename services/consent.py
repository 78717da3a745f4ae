"""Consent: whether a contact accepts marketing, by the box of a form or by being active on a list (SQ11)."""

from __future__ import annotations

from kit import bell, db
from kit.errors import invalid, not_found
from kit.sql import Sql, ids
from services import facts, memberships
from services.caller import Caller


async def grant(contacts: Sql, *, by: Caller) -> set[int]:
    """The contacts of the set ticked the box; those for whom that is new.

    An address that was erased after it had left is not among them until it confirms (`suppressions.lift`).
    """
    granted = await db.column(
        Sql(
            """
            WITH ticked AS (
                UPDATE contact c
                SET marketing_opt_in_at = {now}::timestamptz,
                    marketing_revoked_at = NULL
                WHERE c.id IN (SELECT s.id FROM ({contacts}) AS s)
                  AND c.marketing_opt_in_at IS NULL
                RETURNING c.id, new.marketing_opt_in_at
            ),
            changed AS (SELECT ticked.id FROM ticked WHERE ticked.marketing_opt_in_at IS NOT NULL),
            {facts}
            SELECT changed.id FROM changed
            """,
            contacts=contacts,
            now=by.now,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT
                        changed.id, 'MARKETING_GRANTED', {form}::bigint, jsonb_build_object('source', {source}::text)
                    FROM changed
                    """,
                    form=by.form_id,
                    source=by.source,
                ),
                by=by,
            ),
        )
    )
    await bell.ring("dispatch")
    return set(granted)


async def revoke(contacts: Sql, *, by: Caller) -> set[int]:
    """The contacts of the set want no marketing any more: no box, and UNSUBSCRIBED from every list (SQ17, Q10).

    Those who accepted until now. They come back by an admin who puts them on a list, or by themselves.
    """
    async with db.transaction():
        revoked = await db.column(
            Sql(
                """
                WITH asked AS MATERIALIZED (
                    SELECT
                        c.id,
                        c.marketing_opt_in_at IS NOT NULL
                        OR EXISTS (
                            SELECT FROM membership m JOIN contact_list l ON l.id = m.list_id
                            WHERE m.contact_id = c.id AND m.status = 'ACTIVE' AND l.kind = 'MAILING'
                        )
                            AS accepted
                    FROM contact c
                    WHERE c.id IN (SELECT s.id FROM ({contacts}) AS s)
                    ORDER BY c.id
                    FOR NO KEY UPDATE OF c
                ),
                changed AS (
                    UPDATE contact c
                    SET marketing_opt_in_at = NULL,
                        marketing_revoked_at = {now}::timestamptz
                    FROM asked
                    WHERE c.id = asked.id
                      AND (asked.accepted OR c.marketing_revoked_at IS NULL)
                    RETURNING c.id, asked.accepted
                ),
                {facts}
                SELECT changed.id FROM changed WHERE changed.accepted
                """,
                contacts=contacts,
                now=by.now,
                facts=facts.recorded(
                    Sql(
                        """
                        SELECT
                            changed.id, 'MARKETING_REVOKED', NULL::bigint,
                            jsonb_build_object('source', {source}::text)
                        FROM changed
                        WHERE changed.accepted
                        """,
                        source=by.source,
                    ),
                    by=by,
                ),
            )
        )
        await memberships.leave(contacts, None, by=by)
        return set(revoked)


async def unsubscribe(contact_id: int, *, confirmed: bool, by: Caller) -> None:
    """`revoke` for one contact, asked for by a user. Refused: CONFIRMATION_REQUIRED at `confirm`, NOT_FOUND."""
    if not confirmed:
        raise invalid("CONFIRMATION_REQUIRED", "Confirm that this contact shall get no marketing.", "confirm")
    if await db.value(Sql("SELECT c.id FROM contact c WHERE c.id = {id}::bigint", id=contact_id)) is None:
        raise not_found("contact", "contactId")
    await revoke(ids([contact_id]), by=by)
