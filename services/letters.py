"""Letters: what forms make us write by e-mail. Who sent one is asked to confirm; the team is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from kit import db, log
from kit.errors import Refused
from kit.sql import Sql
from services import confirmations, exclusions, notifications
from services.channels import email, smtp
from services.channels.email import NotSent
from services.setbacks import PAUSE_MAX, PAUSE_MIN

LETTERS_MAX = 100  # in one transaction
CONNECTIONS_MAX = 5
LATE_AFTER = timedelta(hours=24)  # what could not go out for so long is not worth it any more

# Makes the subject and the text of a letter.
Write = Callable[[Mapping[str, Any]], Awaitable[tuple[str, str]]]

_log = log.get("letters")


async def send_due(now: datetime) -> int:
    """Write every letter that is due, if mail is configured; how many there were.

    Each at most once: that it was taken up is stored before it goes out. One that surely did not go because the server
    was away, or did not take it for now, goes later: after half as long as it has waited, for a day. One that was
    refused for good is not tried again; who fills in the form anew is written to anew.
    """
    if not email.is_configured():
        return 0
    count = 0
    for claim, write, put_off in (
        (_claim_questions, _question, _put_questions_off),
        (_claim_notices, _notice, _put_notices_off),
    ):
        while rows := await claim(now):
            count += len(rows)
            turn = asyncio.Semaphore(CONNECTIONS_MAX)
            addressed = [row for row in rows if row["address"]]
            settled = await asyncio.gather(*(_send(turn, row, write) for row in addressed))
            if waiting := [row for row, is_settled in zip(addressed, settled, strict=True) if not is_settled]:
                await put_off(waiting, now)
    return count


async def _send(turn: asyncio.Semaphore, row: Mapping[str, Any], write: Write) -> bool:
    """Send it; False: it surely did not go, and may go later."""
    async with turn:
        try:
            await smtp.send(row["address"], *await write(row))
        except NotSent as failure:
            _log.warning("letter not sent", submission=row["submission_id"], reason=failure.reason)
            return failure.unknown or (failure.code is not None and failure.code >= 500)
        except Refused as refused:  # an address that cannot stand in a message
            _log.warning("letter not sent", submission=row["submission_id"], reason=refused.problems[0].code)
    return True


async def _put_questions_off(rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    await db.execute(
        Sql(
            """
            UPDATE confirmation cf
            SET sent_at = NULL,
                put_off_until = {later}
            WHERE cf.id = ANY({ids}::bigint[])
            """,
            later=_later(Sql("cf.created_at"), now),
            ids=[row["id"] for row in rows],
        )
    )


async def _put_notices_off(rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    await db.execute(
        Sql(
            """
            UPDATE form_submission fs
            SET notify = fs.notify || w.users,
                put_off_until = {later}
            FROM (
                SELECT told.submission_id, array_agg(told.user_id) AS users
                FROM unnest({submissions}::bigint[], {users}::bigint[]) AS told (submission_id, user_id)
                GROUP BY told.submission_id
            ) AS w
            WHERE fs.id = w.submission_id
            """,
            later=_later(Sql("fs.at"), now),
            submissions=[row["submission_id"] for row in rows],
            users=[row["user_id"] for row in rows],
        )
    )


def _later(since: Sql, now: datetime) -> Sql:
    return Sql(
        "{now}::timestamptz + least(greatest(({now}::timestamptz - {since}) / 2, {min}::interval), {max}::interval)",
        now=now,
        since=since,
        min=PAUSE_MIN,
        max=PAUSE_MAX,
    )


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
                  AND (cf.put_off_until IS NULL OR cf.put_off_until <= {now}::timestamptz)
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
                  AND (fs.put_off_until IS NULL OR fs.put_off_until <= {now}::timestamptz)
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
            SELECT
                taken.id AS submission_id, taken.answers, taken.page_name, fo.name AS form, u.id AS user_id,
                u.email AS address
            FROM taken
            JOIN form fo ON fo.id = taken.form_id
            LEFT JOIN user_account u ON u.id = ANY(taken.notify) AND u.deactivated_at IS NULL AND {wanted}
            """,
            wanted=notifications.wants_mail("FORM_SUBMITTED"),
            now=now,
            late=now - LATE_AFTER,
            count_max=LETTERS_MAX,
        )
    )


async def _notice(row: Mapping[str, Any]) -> tuple[str, str]:
    """Who sent which form, with all answers as they came."""
    answers = [f"{name}: {value}" for name, value in orjson.loads(row["answers"]).items()]
    page = [f"Page: {row['page_name']}"] if row["page_name"] else []
    return f"{row['form']} was filled in", "\n".join([f"Form: {row['form']}", *page, "", *answers])
