"""Confirmations: a signed link by which somebody says that it was them, before we believe what was typed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from kit import config, db, signing
from kit.errors import conflict, not_found
from kit.sql import Sql, ids
from services import caller, consent, memberships, plan_consent, suppressions, visitors
from services.caller import Caller

VALID_FOR = timedelta(days=7)
PER_DAY_MAX = 3
_PURPOSE = "confirmation"


async def ask(submission_id: int, list_ids: Sequence[int], marketing: bool, *, by: Caller) -> int | None:
    """Ask whoever sent this to confirm the lists on which they are UNCONFIRMED, and the box that does not count yet.

    The id of the confirmation; None where there is nothing to confirm, or after three within a day.
    """
    return await db.value(
        Sql(
            """
            INSERT INTO confirmation (submission_id, list_ids, marketing, created_at)
            SELECT fs.id, open.list_ids, open.marketing, {now}::timestamptz
            FROM form_submission fs
            JOIN contact c ON c.id = fs.contact_id
            CROSS JOIN LATERAL (
                SELECT
                    ARRAY(
                        SELECT m.list_id
                        FROM membership m
                        WHERE m.contact_id = c.id
                          AND m.list_id = ANY({lists}::bigint[])
                          AND m.status = 'UNCONFIRMED'
                        ORDER BY m.list_id
                    ) AS list_ids,
                    {marketing}::boolean AND c.marketing_opt_in_at IS NULL AS marketing
            ) AS open
            WHERE fs.id = {submission}::bigint
              AND (open.marketing OR open.list_ids <> '{}')
              AND {per_day_max}::integer > (
                  SELECT count(*)
                  FROM confirmation cf
                  JOIN form_submission earlier ON earlier.id = cf.submission_id
                  WHERE earlier.contact_id = c.id
                    AND cf.created_at > {now}::timestamptz - interval '24 hours'
              )
            RETURNING id
            """,
            submission=submission_id,
            lists=list(list_ids),
            marketing=marketing,
            per_day_max=PER_DAY_MAX,
            now=by.now,
        )
    )


async def ask_for_plan(plan_membership_id: int, *, by: Caller) -> int:
    """Ask whoever took a free plan to confirm it (SQ16); the id of the confirmation."""
    return await db.value(
        Sql(
            """
            INSERT INTO confirmation (plan_membership_id, marketing, created_at)
            VALUES ({plan}::bigint, TRUE, {now}::timestamptz)
            RETURNING id
            """,
            plan=plan_membership_id,
            now=by.now,
        )
    )


async def url(confirmation_id: int) -> str:
    """The link that confirms it. Whoever has it can."""
    token = signing.sign(await _secret(), _PURPOSE, confirmation_id)
    return f"{config.settings().base_url()}/confirm/{token}"


async def look(token: str, *, by: Caller) -> None:
    """Whether the link can still be followed. Refused: NOT_FOUND, ALREADY_CONFIRMED, LINK_EXPIRED at `token`."""
    await _find(token, by)


async def confirm(token: str, *, by: Caller) -> int:
    """Believe what was confirmed: lists become ACTIVE, the box counts. The contact's id.

    Works once, for seven days. A membership that is no longer UNCONFIRMED stays as it is. Refused as by `look`.
    """
    async with db.transaction():
        row = await _find(token, by)
        if row["form_id"] is not None:
            contact_itself = caller.form(row["form_id"], by.now)
        else:
            contact_itself = Caller(f"contact:{row['contact_id']}", by.now, source="CONTACT", source_detail="CHECKOUT")
        contacts = ids([row["contact_id"]])
        await suppressions.lift(contacts)
        await memberships.confirm(contacts, row["list_ids"], by=contact_itself)
        if row["marketing"] and row["submission_id"] is not None:
            await consent.grant(contacts, by=contact_itself)
        await db.execute(
            Sql(
                """
                WITH used AS (
                    UPDATE confirmation cf
                    SET confirmed_at = {now}::timestamptz
                    WHERE cf.id = {id}::bigint
                    RETURNING cf.submission_id
                )
                UPDATE form_submission fs
                SET confirmed_at = coalesce(fs.confirmed_at, {now}::timestamptz)
                FROM used
                WHERE fs.id = used.submission_id
                """,
                id=row["id"],
                now=by.now,
            )
        )
        if row["visitor"]:
            await visitors.join(visitors.pair(row["visitor"], row["contact_id"]), by=contact_itself)
        if row["plan_membership_id"] is not None:
            await plan_consent.confirm(row["plan_membership_id"], by=contact_itself)
        return row["contact_id"]


async def _find(token: str, by: Caller) -> dict[str, Any]:
    number = signing.read(await _secret(), _PURPOSE, token)
    row = None
    if isinstance(number, int):
        row = await db.row(
            Sql(
                """
                SELECT
                    cf.id, cf.list_ids, cf.marketing, cf.created_at, cf.confirmed_at, cf.submission_id, fs.form_id,
                    cf.plan_membership_id, fs.visitor::text AS visitor,
                    coalesce(fs.contact_id, pm.contact_id) AS contact_id
                FROM confirmation cf
                LEFT JOIN form_submission fs ON fs.id = cf.submission_id
                LEFT JOIN plan_membership pm ON pm.id = cf.plan_membership_id
                WHERE cf.id = {id}::bigint
                FOR NO KEY UPDATE OF cf
                """,
                id=number,
            )
        )
    if row is None:
        raise not_found("confirmation", "token")
    if row["confirmed_at"] is not None:
        raise conflict("ALREADY_CONFIRMED", "This was confirmed already.", "token")
    if by.now > row["created_at"] + VALID_FOR:
        raise conflict("LINK_EXPIRED", "This link is more than seven days old. Send the form again.", "token")
    return row


async def _secret() -> bytes:
    return await db.value(Sql("SELECT ac.secret FROM account ac"))
