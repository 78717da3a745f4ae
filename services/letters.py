"""Letters: what forms make us write by e-mail. Who sent one is asked to confirm; the team is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from kit import db, log
from kit.errors import Refused
from kit.sql import Sql
from services import confirmations, exclusions, notifications
from services.channels import email, smtp
from services.channels.email import NotSent

LETTERS_MAX = 100  # in one transaction
CONNECTIONS_MAX = 5
LATE_AFTER = timedelta(hours=24)  # what could not go out for so long is not worth it any more

# Makes the subject and the text of a letter.
Write = Callable[[Mapping[str, Any]], Awaitable[tuple[str, str]]]

_log = log.get("letters")


async def send_due(now: datetime) -> int:
    """Write every letter that is due, if mail is configured; how many there were.

    Each at most once: that it was taken up is stored before it goes out, and one that fails is not tried again. Who
    fills in the form anew is written to anew.
    """
    if not email.is_configured():
        return 0
    count = 0
    for claim, write in ((_claim_questions, _question), (_claim_notices, _notice)):
        while rows := await claim(now):
            count += len(rows)
            turn = asyncio.Semaphore(CONNECTIONS_MAX)
            await asyncio.gather(*(_send(turn, row, write) for row in rows if row["address"]))
    return count


async def _send(turn: asyncio.Semaphore, row: Mapping[str, Any], write: Write) -> None:
    async with turn:
        try:
            await smtp.send(row["address"], *await write(row))
        except NotSent as failure:
            _log.warning("letter not sent", submission=row["submission_id"], reason=failure.reason)
        except Refused as refused:  # an address that cannot stand in a message
            _log.warning("letter not sent", submission=row["submission_id"], reason=refused.problems[0].code)


async def _claim_questions(now: datetime) -> list[dict[str, Any]]:
    """The confirmations that nobody was asked for, with whom to ask. Not those to whom no e-mail goes (Q33)."""
    return await db.rows(
        Sql(
            """
            WITH due AS (
                SELECT cf.id
                FROM confirmation cf
                WHERE cf.sent_at IS NULL
                  AND cf.confirmed_at IS NULL
                  AND cf.created_at > {late}::timestamptz
                ORDER BY cf.created_at
                LIMIT {count_max}::integer
                FOR NO KEY UPDATE SKIP LOCKED
            ),
            taken AS (
                UPDATE confirmation cf
                SET sent_at = {now}::timestamptz
                FROM due
                WHERE cf.id = due.id
                RETURNING cf.id, cf.submission_id, cf.plan_membership_id, cf.list_ids
            )
            SELECT
                taken.id, taken.submission_id, ac.name AS account,
                CASE WHEN NOT ({excluded}) THEN c.email END AS address
            FROM taken
            LEFT JOIN form_submission fs ON fs.id = taken.submission_id
            LEFT JOIN plan_membership pm ON pm.id = taken.plan_membership_id
            JOIN contact c ON c.id = coalesce(fs.contact_id, pm.contact_id)
            CROSS JOIN account ac
            """,
            now=now,
            late=now - LATE_AFTER,
            count_max=LETTERS_MAX,
            excluded=Sql(
                """
                {hit}
                OR EXISTS (
                    SELECT FROM suppression sp WHERE sp.reason = 'EXCLUDED' AND sp.hash = address_hash(c.email)
                )
                """,
                hit=exclusions.hit(Sql("c.email"), Sql("taken.list_ids")),
            ),
        )
    )


async def _question(row: Mapping[str, Any]) -> tuple[str, str]:
    """Nothing in it was typed by a stranger, so that nobody can make us write for them."""
    lines = [
        "Hello,",
        "",
        f"somebody, probably you, gave this address to {row['account']}.",
        "Please follow this link to confirm that it was you:",
        "",
        await confirmations.url(row["id"]),
        "",
        "It works for seven days. If it was not you, do nothing: you will not be written to.",
    ]
    return f"{row['account']}: please confirm", "\n".join(lines)


async def _claim_notices(now: datetime) -> list[dict[str, Any]]:
    """The submissions of which somebody of the team is still to be told, once for each of them."""
    return await db.rows(
        Sql(
            """
            WITH due AS (
                SELECT fs.id, fs.notify
                FROM form_submission fs
                WHERE fs.notify <> '{}'
                  AND fs.at > {late}::timestamptz
                ORDER BY fs.id
                LIMIT {count_max}::integer
                FOR NO KEY UPDATE SKIP LOCKED
            ),
            taken AS (
                UPDATE form_submission fs
                SET notify = '{}'
                FROM due
                WHERE fs.id = due.id
                RETURNING fs.id, fs.form_id, fs.answers, fs.page_name, due.notify
            )
            SELECT taken.id AS submission_id, taken.answers, taken.page_name, fo.name AS form, u.email AS address
            FROM taken
            JOIN form fo ON fo.id = taken.form_id
            LEFT JOIN user_account u ON u.id = ANY(taken.notify) AND u.deactivated_at IS NULL AND {wanted}
            """,
            wanted=notifications.wants_mail("FORM_SUBMITTED"),
            late=now - LATE_AFTER,
            count_max=LETTERS_MAX,
        )
    )


async def _notice(row: Mapping[str, Any]) -> tuple[str, str]:
    """Who sent which form, with all answers as they came."""
    answers = [f"{name}: {value}" for name, value in orjson.loads(row["answers"]).items()]
    page = [f"Page: {row['page_name']}"] if row["page_name"] else []
    return f"{row['form']} was filled in", "\n".join([f"Form: {row['form']}", *page, "", *answers])
