"""Notifications: what a user of the team is told, at once where it looks, and by e-mail where it wants that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from kit import db
from kit.errors import Problems
from kit.sql import Sql
from services import caller, deliveries
from services.caller import Caller
from services.channels import email

KINDS = (
    "TASK_ASSIGNED",
    "TASK_ALERT",
    "FORM_SUBMITTED",
    "WEBHOOK_PAUSED",
    "JOB_FINISHED",
    "CAMPAIGN_WARNING",
    "CAMPAIGN_PAUSED",
    "AUTOMATION_WARNING",
    "AUTOMATION_PAUSED",
)
# Of these somebody else writes an e-mail that says more: services/alerts.py, services/letters.py.
_MAILED_ELSEWHERE = "('TASK_ALERT', 'FORM_SUBMITTED')"
KEPT = timedelta(days=90)
FORGOTTEN_MAX = 5_000
LATE_AFTER = timedelta(hours=24)  # what could not go out for so long is not mailed any more
USERS_MAX = 100  # whose mails are written in one transaction
NAMED_MAX = 20  # in one mail; the others are counted

# What a notification says, over `notification nt`.
TEXT = Sql(
    """
    (CASE nt.kind
        WHEN 'TASK_ASSIGNED' THEN concat('You were given a task: ', nt.data ->> 'title')
        WHEN 'TASK_ALERT' THEN concat('Reminder: ', nt.data ->> 'title')
        WHEN 'FORM_SUBMITTED' THEN concat(nt.data ->> 'form', ' was filled in')
        WHEN 'WEBHOOK_PAUSED' THEN concat(
            'The webhook to ', nt.data ->> 'host', ' is paused: ',
            CASE nt.data ->> 'why'
                WHEN 'GONE' THEN 'it says that it is there no more'
                ELSE 'nothing has arrived there for three days'
            END
        )
        WHEN 'CAMPAIGN_WARNING' THEN concat(
            'More than one in a thousand called the campaign ', nt.data ->> 'campaign', ' spam'
        )
        WHEN 'CAMPAIGN_PAUSED' THEN concat(
            'The campaign ', nt.data ->> 'campaign', ' is paused: ',
            CASE nt.data ->> 'why'
                WHEN 'BOUNCES' THEN 'too many of its addresses do not exist'
                ELSE 'too many people called it spam'
            END
        )
        WHEN 'AUTOMATION_WARNING' THEN concat(
            'More than one in a thousand called e-mails of the automation ', nt.data ->> 'automation', ' spam'
        )
        WHEN 'AUTOMATION_PAUSED' THEN concat(
            'The automation ', nt.data ->> 'automation', ' is switched off: too many people called its e-mails spam'
        )
        WHEN 'JOB_FINISHED' THEN concat(
            'Your ',
            CASE nt.data ->> 'kind'
                WHEN 'import_contacts' THEN 'import'
                WHEN 'preview_import' THEN 'preview of an import'
                WHEN 'undo_import' THEN 'undoing of an import'
                WHEN 'merge_tags' THEN 'merging of tags'
                WHEN 'replay_webhook' THEN 'replay to a webhook'
                WHEN 'sync' THEN 'database sync'
                ELSE replace(nt.data ->> 'kind', '_', ' ')
            END,
            CASE nt.data ->> 'state' WHEN 'DONE' THEN ' is done' ELSE ' has failed' END
        )
    END)
    """
)


def recorded(source: Sql, *, now: datetime) -> Sql:
    """The end of a statement's WITH list that notifies users of what was done before it.

    `source` selects `user_id, kind, contact_id, subject, data` from the CTEs of the change. Who is deactivated is told
    nothing.
    """
    return Sql(
        """
        noticed AS (
            INSERT INTO notification (user_id, kind, contact_id, subject, data, mail, created_at)
            SELECT
                u.id, s.kind, s.contact_id, s.subject, s.data,
                s.kind NOT IN {elsewhere} AND s.kind <> ALL (u.unmailed),
                {now}::timestamptz
            FROM ({source}) AS s (user_id, kind, contact_id, subject, data)
            JOIN user_account u ON u.id = s.user_id AND u.deactivated_at IS NULL
        )
        """,
        source=source,
        elsewhere=Sql(_MAILED_ELSEWHERE),
        now=now,
    )


async def tell_bosses(kind: str, told: Sql, *, now: datetime) -> None:
    """Notify who runs the account of what the statement `told` selects or returns: `id, data`."""
    bosses = Sql(
        """
        SELECT u.id, {kind}::text, NULL::bigint, told.id, told.data
        FROM told
        CROSS JOIN user_account u
        WHERE u.role IN ('OWNER', 'ADMIN')
        """,
        kind=kind,
    )
    await db.execute(
        Sql("WITH told AS ({told}), {noticed} SELECT FROM told", told=told, noticed=recorded(bosses, now=now))
    )


def visible(by: Caller) -> Sql:
    """A condition over `notification nt`: the caller's own, and nobody else's whatever its role."""
    return Sql("(nt.user_id = {user}::bigint)", user=by.user_id)


def wants_mail(kind: str) -> Sql:
    """A condition over `user_account u`: notifications of this kind go to it by e-mail."""
    return Sql("({kind}::text <> ALL (u.unmailed))", kind=kind)


async def mark_read(numbers: Sequence[int] | None, *, by: Caller) -> list[int]:
    """The caller has read these of its notifications, or all (None); the ids of those that were unread.

    Refused: one that is not the caller's (NOT_FOUND at its place in `ids`).
    """
    if numbers is not None:
        own = await db.column(
            Sql(
                "SELECT nt.id FROM notification nt WHERE nt.user_id = {user}::bigint AND nt.id = ANY({ids}::bigint[])",
                user=by.user_id,
                ids=list(numbers),
            )
        )
        problems = Problems()
        for place, number in enumerate(numbers):
            if number not in own:
                problems.add("NOT_FOUND", "This notification does not exist.", "ids", str(place))
        problems.refuse()
    return await db.column(
        Sql(
            """
            UPDATE notification nt
            SET read_at = {now}::timestamptz
            WHERE nt.user_id = {user}::bigint
              AND nt.read_at IS NULL
              AND ({ids}::bigint[] IS NULL OR nt.id = ANY({ids}::bigint[]))
            RETURNING nt.id
            """,
            user=by.user_id,
            ids=None if numbers is None else list(numbers),
            now=by.now,
        )
    )


async def prefer(mailed: Sequence[str], *, by: Caller) -> None:
    """By which kinds of notifications the caller gets e-mail, too."""
    await db.execute(
        Sql(
            """
            UPDATE user_account u
            SET unmailed = ARRAY(
                    SELECT w.kind FROM unnest({kinds}::text[]) AS w (kind) WHERE w.kind <> ALL ({mailed}::text[])
                ),
                updated_at = {now}::timestamptz
            WHERE u.id = {id}::bigint
            """,
            id=by.user_id,
            kinds=list(KINDS),
            mailed=list(mailed),
            now=by.now,
        )
    )


async def send_due(now: datetime) -> int:
    """Queue the e-mails of what users were notified of since the last time, if mail is configured; how many.

    One for each user, with the mark that it is queued: each notification is in one mail at most.
    """
    if not email.is_configured():
        return 0
    count = 0
    while queued := await db.all_or_nothing(lambda: _queue(now)):
        count += queued
    return count


async def _queue(now: datetime) -> int:
    rows = await db.rows(_due(now))
    written = [_written(row) for row in rows]
    keys, contents = [each["key"] for each in written], [db.jsonb(each["content"]) for each in written]
    if written:
        await deliveries.queue(notices(keys, contents), by=caller.system(now))
    return len(written)


def _due(now: datetime) -> Sql:
    """Take up what is to be mailed; one row a user, with what to say."""
    return Sql(
        """
        WITH whose AS MATERIALIZED (
            SELECT u.id
            FROM user_account u
            WHERE u.id IN (SELECT nt.user_id FROM notification nt WHERE nt.mail)
            ORDER BY u.id
            LIMIT {users}::integer
            FOR NO KEY UPDATE SKIP LOCKED
        ),
        due AS (
            UPDATE notification nt
            SET mail = FALSE
            FROM whose
            WHERE nt.user_id = whose.id
              AND nt.mail
            RETURNING nt.id, nt.user_id, nt.created_at, {text} AS said
        )
        SELECT
            due.user_id,
            max(due.id) AS last,
            count(*) AS n,
            (array_agg(due.said ORDER BY due.id))[:{named}::integer] AS said,
            max(ac.name) AS account
        FROM due
        CROSS JOIN account ac
        WHERE due.created_at > {late}::timestamptz
        GROUP BY due.user_id
        ORDER BY due.user_id
        """,
        users=USERS_MAX,
        text=TEXT,
        named=NAMED_MAX,
        late=now - LATE_AFTER,
    )


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    """The mail of one user."""
    said, more = row["said"], row["n"] - len(row["said"])
    subject = said[0] if row["n"] == 1 else f"{row['account']}: {row['n']} notifications"
    lines = [*said, *([f"… and {more} more"] if more else [])]
    return {
        "key": f"notifications:{row['user_id']}:{row['last']}",
        "content": {"userId": row["user_id"], "subject": " ".join(subject.split())[:200], "text": "\n".join(lines)},
    }


def notices(keys: Sequence[str], contents: Sequence[str]) -> Sql:
    """Rows for `deliveries.queue`: mails to users of the team."""
    return Sql(
        """
        SELECT
            w.key,
            NULL::bigint AS contact_id,
            'EMAIL' AS channel,
            'NOTICE' AS origin,
            {alone},
            w.content::jsonb AS content
        FROM unnest({keys}::text[], {contents}::text[]) AS w (key, content)
        """,
        alone=deliveries.ALONE,
        keys=list(keys),
        contents=list(contents),
    )


async def forget(now: datetime) -> None:
    """Forget what users were told three months ago."""
    await db.execute(
        Sql(
            """
            DELETE FROM notification nt
            WHERE nt.id IN (
                SELECT old.id
                FROM notification old
                WHERE old.created_at < {since}::timestamptz
                ORDER BY old.created_at
                LIMIT {most}::integer
            )
            """,
            since=now - KEPT,
            most=FORGOTTEN_MAX,
        )
    )
