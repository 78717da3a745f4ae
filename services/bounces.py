"""Addresses that take no mail and people who call it spam: what that means for the lists they are on (AC13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kit import db
from kit.sql import Sql, ids
from services import memberships, settings
from services.caller import Caller

_MOST = Sql("(SELECT ({setting})::integer FROM account ac)", setting=settings.stored("soft_bounces_max"))


async def heed(happened: Iterable[Mapping[str, Any]], *, by: Caller) -> None:
    """`happened` are new events (`kind`, `soft`, `contact_id`), one an e-mail at most of each kind.

    A hard bounce makes the memberships of e-mail lists BOUNCED at once, soft ones do when as many came in a row as the
    settings say (AC13); whoever left stays gone. A complaint is the contact's own word to leave.
    """
    hard: list[int] = []
    soft: list[int] = []
    complained: list[int] = []
    for each in happened:
        if each["kind"] == "BOUNCED":
            (soft if each["soft"] else hard).append(each["contact_id"])
        elif each["kind"] == "COMPLAINED":
            complained.append(each["contact_id"])
    if hard:
        await memberships.bounce(ids(set(hard)), by=by)
    if soft:
        await _count(soft)
        await memberships.bounce(_hopeless(soft), soft_bounces_min=_MOST, by=by)
        await _forget(soft)
    if complained:
        await memberships.leave_channel(ids(set(complained)), "EMAIL", by=replace(by, source="CONTACT"))


async def _count(bounced: Sequence[int]) -> None:
    await db.execute(
        Sql(
            """
            WITH w AS (
                SELECT found.id, count(*) AS times
                FROM unnest({ids}::bigint[]) AS found (id)
                GROUP BY found.id
            ),
            held AS (
                SELECT m.id, w.times
                FROM membership m
                JOIN w ON w.id = m.contact_id
                JOIN contact_list l ON l.id = m.list_id
                WHERE l.channel = 'EMAIL'
                  AND m.status IN ('ACTIVE', 'UNCONFIRMED')
                ORDER BY m.contact_id, m.list_id
                FOR NO KEY UPDATE OF m
            )
            UPDATE membership m
            SET soft_bounces = m.soft_bounces + held.times
            FROM held
            WHERE m.id = held.id
            """,
            ids=list(bounced),
        )
    )


def _hopeless(bounced: Sequence[int]) -> Sql:
    """Those to whom the latest e-mails, back from the latest that bounced, all bounced softly, so many as it takes."""
    return Sql(
        """
        SELECT w.id
        FROM (SELECT DISTINCT found.id FROM unnest({ids}::bigint[]) AS found (id)) AS w
        CROSS JOIN LATERAL (
            SELECT count(*) AS times
            FROM (
                SELECT coalesce(es.bounce, '') = 'SOFT' AS soft
                FROM email_send es
                WHERE es.contact_id = w.id
                  AND es.sent_at <= (
                      SELECT max(es.sent_at) FROM email_send es WHERE es.contact_id = w.id AND es.bounce = 'SOFT'
                  )
                ORDER BY es.sent_at DESC, es.id DESC
                LIMIT {most}
            ) AS latest
            WHERE latest.soft
        ) AS found
        WHERE found.times >= {most}
        """,
        ids=list(bounced),
        most=_MOST,
    )


async def _forget(bounced: Sequence[int]) -> None:
    """Who is subscribed again begins anew."""
    await db.execute(
        Sql(
            """
            UPDATE membership m
            SET soft_bounces = 0
            WHERE m.contact_id = ANY({ids}::bigint[])
              AND m.status = 'BOUNCED'
              AND m.soft_bounces > 0
            """,
            ids=list(bounced),
        )
    )
