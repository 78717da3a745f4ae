"""Leaving by the link of a mail: at once, without signing in, as often as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kit import bell, db
from kit.errors import not_found
from kit.sql import Sql, ids
from services import consent, facts, mail_links, memberships
from services.caller import Caller


@dataclass(frozen=True, slots=True)
class _Leaving:
    delivery_id: int
    contact_id: int | None  # None: nobody is known by it any more
    list_ids: Sequence[int] | None  # None: all


async def look(token: str) -> None:
    """Whether the link is one of ours. Refused: NOT_FOUND at `token`. It works as long as the contact is known."""
    await _find(token)


async def leave(token: str, *, by: Caller) -> int | None:
    """Whoever the mail went to wants no more (Q10, domain.md 2.11); its id, None where nobody is known by it any more.

    From the lists that the automation of the mail names, without any from all; and the box of forms does not count any
    more. Committed when this returns, and a mail that is not on its way yet does not go. Refused: NOT_FOUND at `token`.
    """
    leaving = await _find(token)
    if leaving.contact_id is None:
        return None
    contact_itself = Caller(f"contact:{leaving.contact_id}", by.now, source="CONTACT", source_detail="EMAIL")
    contact = ids([leaving.contact_id])
    async with db.transaction():
        if leaving.list_ids is None:
            await consent.revoke(contact, by=contact_itself)
        else:
            await _untick(contact, by=contact_itself)
            for list_id in leaving.list_ids:
                await memberships.leave(contact, list_id, by=contact_itself)
        await _note(leaving.delivery_id, by=contact_itself)
    return leaving.contact_id


async def _find(token: str) -> _Leaving:
    payload = await mail_links.read(mail_links.LEAVE, token)
    if not isinstance(payload, list) or len(payload) != 2:
        raise not_found("link", "token")
    row = await db.row(
        Sql(
            """
            SELECT
                coalesce(
                    (SELECT dv.contact_id FROM delivery dv WHERE dv.id = {delivery}::bigint),
                    (SELECT c.id FROM contact c WHERE c.id = {contact}::bigint),
                    (SELECT cm.kept_id
                     FROM contact_merge cm
                     WHERE cm.gone_id = {contact}::bigint
                     ORDER BY cm.id DESC
                     LIMIT 1)
                ) AS contact_id,
                (SELECT array_agg(l.id ORDER BY l.id)
                 FROM contact_list l
                 WHERE l.id = ANY(a.unsubscribe_lists)) AS list_ids
            FROM (SELECT) AS one
            LEFT JOIN delivery dv ON dv.id = {delivery}::bigint
            LEFT JOIN automation a ON a.id = dv.automation_id
            """,
            delivery=payload[0],
            contact=payload[1],
        )
    )
    assert row is not None
    return _Leaving(payload[0], row["contact_id"], row["list_ids"])


async def _note(delivery_id: int, *, by: Caller) -> None:
    """By which mail it left, for the figures of a campaign."""
    await db.execute(
        Sql(
            """
            UPDATE delivery dv
            SET left_at = {now}::timestamptz
            WHERE dv.id = {id}::bigint
              AND dv.left_at IS NULL
            """,
            id=delivery_id,
            now=by.now,
        )
    )


async def _untick(contact: Sql, *, by: Caller) -> None:
    await db.execute(
        Sql(
            """
            WITH changed AS (
                UPDATE contact c
                SET marketing_opt_in_at = NULL,
                    marketing_revoked_at = {now}::timestamptz
                WHERE c.id IN (SELECT s.id FROM ({contact}) AS s)
                  AND c.marketing_opt_in_at IS NOT NULL
                RETURNING c.id
            ),
            {facts}
            SELECT changed.id FROM changed
            """,
            contact=contact,
            now=by.now,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT
                        changed.id, 'MARKETING_REVOKED', NULL::bigint, jsonb_build_object('source', {source}::text)
                    FROM changed
                    """,
                    source=by.source,
                ),
                by=by,
            ),
        )
    )
    await bell.ring("dispatch")
