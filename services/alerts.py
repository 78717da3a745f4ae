"""Reminders of tasks: told in the contact's activity at their instant, and to whom the task is given."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from kit import bell, db, log
from kit.errors import Refused
from kit.sql import Sql
from services import caller, facts, notifications
from services.channels import email, smtp
from services.channels.email import NotSent

ALERTS_MAX = 100  # in one transaction
CONNECTIONS_MAX = 5

# What became of the e-mail, in `data.email` of the fact. What still says SENDING after a minute was interrupted: it
# may have arrived or not, and is not sent again.
SENDING, SENT, FAILED, UNKNOWN = "SENDING", "SENT", "FAILED", "UNKNOWN"

_log = log.get("alerts")


async def send_due(now: datetime) -> int:
    """Remind of every task whose time has come and that is not done; how many there were.

    Each at most once: that it was told is stored before a mail goes out, and a mail that fails is not tried again.
    """
    count = 0
    while alerts := await _claim(now):
        count += len(alerts)
        await bell.ring("dispatch")
        await _mail([alert for alert in alerts if alert["email"] == SENDING], now)
    return count


async def _claim(now: datetime) -> list[dict[str, Any]]:
    """The tasks that are due for a reminder, marked as reminded of, with the fact of each; no two workers get one."""
    return await db.rows(
        Sql(
            """
            WITH due AS (
                SELECT k.id
                FROM task k
                WHERE k.status = 'INCOMPLETE'
                  AND k.alerts_at <= {now}::timestamptz
                  AND k.alerted_at IS NULL
                ORDER BY k.alerts_at, k.id
                LIMIT {count_max}::integer
                FOR NO KEY UPDATE SKIP LOCKED
            ),
            told AS (
                UPDATE task k
                SET alerted_at = {now}::timestamptz
                FROM due
                WHERE k.id = due.id
                RETURNING k.id, k.contact_id, k.title, k.type, k.due_at, k.assignee_id
            ),
            addressed AS (
                SELECT
                    told.*,
                    u.email AS address,
                    CASE WHEN {mails}::boolean AND {wanted} THEN {sending}::text END AS email
                FROM told
                LEFT JOIN user_account u ON u.id = told.assignee_id AND u.deactivated_at IS NULL
            ),
            {facts},
            {noticed}
            SELECT
                addressed.id, addressed.contact_id, addressed.title, addressed.due_at, addressed.address,
                addressed.email, c.full_name, c.email AS contact_email, c.phone AS contact_phone, ac.timezone
            FROM addressed
            JOIN contact c ON c.id = addressed.contact_id
            CROSS JOIN account ac
            ORDER BY addressed.id
            """,
            now=now,
            count_max=ALERTS_MAX,
            mails=email.is_configured(),
            wanted=notifications.wants_mail("TASK_ALERT"),
            noticed=notifications.recorded(
                Sql(
                    """
                    SELECT
                        addressed.assignee_id, 'TASK_ALERT', addressed.contact_id, addressed.id,
                        jsonb_build_object('title', addressed.title)
                    FROM addressed
                    """
                ),
                now=now,
            ),
            sending=SENDING,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT
                        addressed.contact_id, 'TASK_ALERT', addressed.id,
                        jsonb_strip_nulls(jsonb_build_object(
                            'title', addressed.title, 'type', addressed.type, 'dueAt', addressed.due_at,
                            'email', addressed.email
                        ))
                    FROM addressed
                    ORDER BY addressed.id
                    """
                ),
                by=caller.system(now),
            ),
        )
    )


async def _mail(alerts: list[dict[str, Any]], now: datetime) -> None:
    """Send these reminders, a few at a time, and note in their facts what became of each."""
    turn = asyncio.Semaphore(CONNECTIONS_MAX)

    async def send(alert: dict[str, Any]) -> str:
        async with turn:
            try:
                await smtp.send(alert["address"], f"Reminder: {alert['title']}", _text(alert))
            except NotSent as failure:
                _log.warning("reminder not sent", task=alert["id"], reason=failure.reason)
                return UNKNOWN if failure.unknown else FAILED
            except Refused as refused:  # an address or a title that cannot stand in a message
                _log.warning("reminder not sent", task=alert["id"], reason=refused.problems[0].code)
                return FAILED
        return SENT

    if not alerts:
        return
    outcomes = await asyncio.gather(*(send(alert) for alert in alerts))
    await db.execute(
        Sql(
            """
            UPDATE event e
            SET data = e.data || jsonb_build_object('email', w.outcome)
            FROM unnest({contacts}::bigint[], {tasks}::bigint[], {outcomes}::text[]) AS w (contact_id, task_id, outcome)
            WHERE e.contact_id = w.contact_id
              AND e.at = {now}::timestamptz
              AND e.kind = 'TASK_ALERT'
              AND e.subject = w.task_id
            """,
            contacts=[alert["contact_id"] for alert in alerts],
            tasks=[alert["id"] for alert in alerts],
            outcomes=outcomes,
            now=now,
        )
    )


def _text(alert: dict[str, Any]) -> str:
    """The message: what is to be done, about whom, by when in the account's time."""
    known = [alert["full_name"], alert["contact_email"], alert["contact_phone"]]
    lines = [alert["title"], "", f"Contact: {', '.join(filter(None, known))}"]
    if alert["due_at"] is not None:
        due = alert["due_at"].astimezone(ZoneInfo(alert["timezone"]))
        lines.append(f"Due: {due:%Y-%m-%d %H:%M} ({alert['timezone']})")
    return "\n".join(lines)
