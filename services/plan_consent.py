"""The consent to marketing that comes with a plan: of a paid one by itself, of a free one once confirmed (SQ16)."""

from __future__ import annotations

from kit import db
from kit.sql import Sql
from services import consent
from services.caller import Caller


async def grant(contacts: Sql, *, by: Caller) -> None:
    """Who is an active member of a paid plan and has an account, or confirmed a free plan, accepts marketing.

    Whoever revoked it does not get it back by paying; only by a confirmation that came after.
    """
    entitled = Sql(
        """
        SELECT c.id
        FROM contact c
        WHERE c.id IN (SELECT s.id FROM ({contacts}) AS s)
          AND EXISTS (
              SELECT
              FROM plan_membership pm
              JOIN plan pl ON pl.id = pm.plan_id
              WHERE pm.contact_id = c.id
                AND pm.status = 'ACTIVE'
                AND CASE
                    WHEN pl.paid THEN c.has_account AND c.marketing_revoked_at IS NULL
                    ELSE pm.confirmed_at > coalesce(c.marketing_revoked_at, '-infinity'::timestamptz)
                END
          )
        """,
        contacts=contacts,
    )
    await consent.grant(entitled, by=by)


async def confirm(membership_id: int, *, by: Caller) -> None:
    """The member followed the link in the mail. A free plan counts as consent from now on."""
    async with db.transaction():
        contact_id = await db.value(
            Sql(
                """
                UPDATE plan_membership pm
                SET confirmed_at = coalesce(pm.confirmed_at, {now}::timestamptz),
                    updated_at = {now}::timestamptz
                WHERE pm.id = {id}::bigint
                RETURNING pm.contact_id
                """,
                id=membership_id,
                now=by.now,
            )
        )
        await grant(Sql("SELECT {id}::bigint AS id", id=contact_id), by=by)
