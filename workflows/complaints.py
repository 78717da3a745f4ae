"""Automations whose e-mails are called spam: the team is warned, and then they stop by themselves (trust M5)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from kit import db, log
from kit.sql import Sql
from services import caller, complaints, notifications
from services.campaign_notices import COMPLAINTS_OF, COMPLAINTS_WARN
from services.campaign_sending import COMPLAINTS_MAX
from workflows import publish, standstill

WINDOW = timedelta(days=30)  # older e-mails say nothing of what it sends now

_log = log.get("complaints")

# What counts begins anew when somebody switches it on: whoever does knows what was complained about before.
_SINCE = Sql("greatest(a.active_since, {now}::timestamptz - {window}::interval)")

_DATA = Sql("jsonb_build_object('automation', a.name) AS data")


async def look(now: datetime) -> None:
    """Look at the automations of which an e-mail was called spam since the last time.

    Each step leaves alone what it finds done, and what is on the pile goes last: whoever is killed, or works beside
    another one, tells nobody twice.
    """
    noted = await complaints.noted()
    if not noted:
        return
    for row in await _suspects(set(noted.values()), now):
        if row["too_many"]:
            await _stop(row["id"], now)
        else:
            await _warn(row["id"], now)
    await complaints.forget(list(noted))


async def _suspects(automations: Collection[int], now: datetime) -> list[dict[str, Any]]:
    """Those that are active and of whose e-mails more than a thousandth was called spam; and whether it is too many.

    What was sent is counted as far as it matters, and of fewer than a thousand a share says nothing.
    """
    return await db.rows(
        Sql(
            """
            SELECT a.id, spam.n > {stop}::float8 * greatest(sent.n, {least}::bigint) AS too_many
            FROM automation a
            CROSS JOIN LATERAL (SELECT {since} AS at) AS since
            CROSS JOIN LATERAL (
                SELECT count(*) AS n
                FROM email_send es
                WHERE es.automation_id = a.id
                  AND es.sent_at >= since.at
                  AND es.complained_at IS NOT NULL
            ) AS spam
            CROSS JOIN LATERAL (
                SELECT count(*) AS n
                FROM (
                    SELECT
                    FROM email_send es
                    WHERE es.automation_id = a.id
                      AND es.sent_at >= since.at
                    LIMIT ceil(spam.n / {warn}::float8)::bigint + 1
                ) AS w
            ) AS sent
            WHERE a.id = ANY({ids}::bigint[])
              AND a.status = 'ACTIVE'
              AND spam.n > {warn}::float8 * greatest(sent.n, {least}::bigint)
            ORDER BY a.id
            """,
            since=_SINCE.with_(now=now, window=WINDOW),
            stop=COMPLAINTS_MAX,
            warn=COMPLAINTS_WARN,
            least=COMPLAINTS_OF,
            ids=list(automations),
        )
    )


async def _stop(automation_id: int, now: datetime) -> None:
    """Switch it off as a person would, hold its e-mails, and tell the team; all of that or nothing."""

    async def work() -> bool:
        await publish.hold(automation_id)
        if not any(row["too_many"] for row in await _suspects([automation_id], now)):
            return False  # somebody else was here
        await publish.deactivate(automation_id, by=caller.system(now))
        await standstill.stop(automation_id, "COMPLAINTS")
        told = Sql("SELECT a.id, {data} FROM automation a WHERE a.id = {id}::bigint", data=_DATA, id=automation_id)
        await notifications.tell_bosses("AUTOMATION_PAUSED", told, now=now)
        return True

    if await db.all_or_nothing(work):
        _log.warning("automation_stopped", automation=automation_id, reason="COMPLAINTS")


async def _warn(automation_id: int, now: datetime) -> None:
    """Tell the team, unless it was told of what is counted now."""
    warned = Sql(
        """
        UPDATE automation a
        SET warned_at = {now}::timestamptz
        WHERE a.id = {id}::bigint
          AND a.status = 'ACTIVE'
          AND (a.warned_at IS NULL OR a.warned_at < {since})
        RETURNING a.id, {data}
        """,
        data=_DATA,
        now=now,
        id=automation_id,
        since=_SINCE.with_(now=now, window=WINDOW),
    )
    await notifications.tell_bosses("AUTOMATION_WARNING", warned, now=now)
