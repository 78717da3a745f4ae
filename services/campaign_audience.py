"""To whom a campaign goes: found out once, when its time has come, and kept in pieces."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from kit import db, log
from kit.sql import Sql
from services import caller as callers
from services import contact_sets, engagement, jobs, watching

PIECE_SIZE = 1_000
REFRESH_SECONDS_MAX = 60

_KEY = 7231  # first half of the lock of who finds out to whom a campaign goes; the second is its id
_log = log.get("campaigns")


async def refresh(now: datetime) -> None:
    """Levels of engagement and smart lists are of this moment (CC2), unless the house is too busy for that."""
    try:
        async with asyncio.timeout(REFRESH_SECONDS_MAX):
            while await engagement.sweep(now):
                pass
            await watching.refresh()
    except TimeoutError:
        _log.warning("audience_not_refreshed", seconds=REFRESH_SECONDS_MAX)


class _CalledOff(Exception):
    """It was paused or cancelled while it was found out to whom it goes."""


async def begin(campaign_id: int, now: datetime) -> int:
    """Find out who is in the audience now, once; 1 if that was done. Who pauses it meanwhile need not wait for that."""
    try:
        async with db.transaction():
            if not await _try_lock(campaign_id):
                return 0
            row = await db.row(
                Sql(
                    """
                    SELECT
                        cp.segment_id, cp.audience,
                        ARRAY(
                            SELECT l.id FROM contact_list l WHERE l.id = ANY(cp.list_ids) AND l.kind = 'MAILING'
                        ) AS mailing,
                        ARRAY(
                            SELECT l.id FROM contact_list l WHERE l.id = ANY(cp.list_ids) AND l.kind <> 'MAILING'
                        ) AS others
                    FROM campaign cp
                    WHERE cp.id = {id}::bigint
                      AND cp.fixed_at IS NULL
                    """,
                    id=campaign_id,
                )
            )
            if row is None:
                return 0
            await jobs.patiently(_pieces(campaign_id, await _audience(row, now)))
            if await db.value(_fixed(campaign_id, now)) is None:
                raise _CalledOff
    except _CalledOff:
        return 0
    return 1


async def _audience(row: dict[str, Any], now: datetime) -> Sql:
    """Everybody who is meant, as `id, by_lists`; several times who is meant in several ways.

    Whoever comes by a MAILING list is there however it stands on it: why it gets nothing is counted later. By a list of
    another kind, and by the segment, nobody has agreed to anything: who comes so may be written to by any list.
    """
    segment = None
    if row["segment_id"] is not None:
        segment = await contact_sets.members({"segment_id": row["segment_id"]}, by=callers.system(now))
    on_lists = Sql(
        """
        SELECT m.contact_id AS id, TRUE AS by_lists
        FROM membership m
        WHERE m.list_id = ANY({mailing}::bigint[])
        UNION ALL
        SELECT m.contact_id, FALSE
        FROM membership m
        WHERE m.list_id = ANY({others}::bigint[])
          AND m.status = 'ACTIVE'
        """,
        mailing=row["mailing"],
        others=row["others"],
    )
    if segment is None:
        return on_lists
    if row["audience"] == "BOTH" and (row["mailing"] or row["others"]):
        where = Sql("EXISTS (SELECT FROM contact c WHERE c.id = w.id AND {segment})", segment=segment)
        return Sql("SELECT w.id, w.by_lists FROM ({lists}) AS w WHERE {where}", lists=on_lists, where=where)
    inside = Sql("SELECT c.id, FALSE AS by_lists FROM contact c WHERE {segment}", segment=segment)
    return Sql("{inside} UNION ALL {lists}", inside=inside, lists=on_lists)


def _pieces(campaign_id: int, audience: Sql) -> Sql:
    return Sql(
        """
        INSERT INTO campaign_piece (campaign_id, by_lists, number, ids)
        SELECT {campaign}::bigint, found.by_lists, found.number, array_agg(found.id ORDER BY found.id)
        FROM (
            SELECT
                w.id,
                w.by_lists,
                (row_number() OVER (PARTITION BY w.by_lists ORDER BY w.id) - 1) / {size}::bigint AS number
            FROM (SELECT s.id, bool_and(s.by_lists) AS by_lists FROM ({audience}) AS s GROUP BY s.id) AS w
        ) AS found
        GROUP BY found.by_lists, found.number
        """,
        campaign=campaign_id,
        size=PIECE_SIZE,
        audience=audience,
    )


def _fixed(campaign_id: int, now: datetime) -> Sql:
    return Sql(
        """
        UPDATE campaign cp
        SET status = 'SENDING',
            fixed_at = {now}::timestamptz,
            updated_at = {now}::timestamptz,
            members = (
                SELECT coalesce(sum(cardinality(cw.ids)), 0)
                FROM campaign_piece cw
                WHERE cw.campaign_id = {id}::bigint
            )
        WHERE cp.id = {id}::bigint
          AND cp.status IN ('SCHEDULED', 'SENDING')
          AND cp.fixed_at IS NULL
        RETURNING cp.id
        """,
        id=campaign_id,
        now=now,
    )


async def _try_lock(campaign_id: int) -> bool:
    return await db.value(
        Sql("SELECT pg_try_advisory_xact_lock({key}::integer, {id}::integer)", key=_KEY, id=campaign_id)
    )
