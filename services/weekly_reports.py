"""The weekly report: how many subscribers came and went in a week, and from where; for owners alone (SQ22)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from kit import db
from kit.sql import Sql
from services import caller, deliveries, notifications, report_letters
from services.caller import Caller

WEEKS_MAX = 8  # that are made up for after the workers stood still
LOOK_SECONDS_MAX = 120
CHART_WEEKS = 8

# What a newsletter block or a pop-up asks for; a form that asks for more is one that somebody filled in.
_OF_A_BLOCK = ["email", "phone", "firstName", "lastName"]


async def make_due(now: datetime) -> int:
    """Make the reports of the weeks that are over, each once, and queue their mails; how many reports there were.

    A week goes from Monday 00:00 to Monday 00:00 of the account's zone (Q14). One at whose end there are as many
    subscribers as at its beginning has no report (Q13).
    """
    made = 0
    for week in await db.rows(_due(now)):
        made += await db.all_or_nothing(lambda week=week: _make(week, caller.system(now)))  # type: ignore[misc]
    return made


async def prefer(wanted: bool, *, by: Caller) -> None:
    """Whether the caller gets the report by e-mail from now on, as long as it is an owner."""
    await db.execute(
        Sql(
            """
            UPDATE user_account u
            SET weekly_report = {wanted}::boolean,
                updated_at = {now}::timestamptz
            WHERE u.id = {id}::bigint
            """,
            wanted=wanted,
            id=by.user_id,
            now=by.now,
        )
    )


def _due(now: datetime) -> Sql:
    """The weeks that are over and that nobody has looked at; of a new account only the latest."""
    return Sql(
        """
        SELECT
            due.week,
            due.week::timestamp AT TIME ZONE ac.timezone AS begins_at,
            (due.week + 7)::timestamp AT TIME ZONE ac.timezone AS ends_at
        FROM account ac
        CROSS JOIN LATERAL (
            SELECT
                date_trunc('week', {now}::timestamptz AT TIME ZONE ac.timezone)::date - 7 AS latest,
                (SELECT max(rw.week) FROM report_week rw) AS seen
        ) AS w
        CROSS JOIN LATERAL (
            SELECT day::date AS week
            FROM generate_series(
                greatest(coalesce(w.seen + 7, w.latest), w.latest - 7 * ({most}::integer - 1))::timestamp,
                w.latest::timestamp,
                '7 days'
            ) AS day
        ) AS due
        WHERE (due.week + 7)::timestamp AT TIME ZONE ac.timezone > ac.created_at
        ORDER BY due.week
        """,
        now=now,
        most=WEEKS_MAX,
    )


async def _make(week: dict[str, Any], by: Caller) -> int:
    """Look at one week, unless somebody has; the report, its mails and that it was looked at are one transaction."""
    mine = await db.value(
        Sql(
            "INSERT INTO report_week (week, total) VALUES ({week}::date, 0) ON CONFLICT DO NOTHING RETURNING week",
            week=week["week"],
        )
    )
    if mine is None:
        return 0
    found = await _count(week)
    await db.execute(
        Sql(
            "UPDATE report_week rw SET total = {total}::bigint WHERE rw.week = {week}::date",
            total=found["total"],
            week=week["week"],
        )
    )
    if found["total"] == found["total_before"]:
        return 0
    report = await db.row(_written({**week, **found}, by))
    assert report is not None
    await _mail(report, by)
    return 1


async def _count(week: dict[str, Any]) -> dict[str, int]:
    """The figures of a week. A large account takes a while, once a week."""
    text, parameters = _figures(week["week"], week["begins_at"], week["ends_at"]).render()
    await db.be_patient(statement_seconds=LOOK_SECONDS_MAX)
    async with db.raw() as connection:
        return dict(await connection.fetchrow(text, *parameters, timeout=LOOK_SECONDS_MAX + 1))


def _figures(week: date, begin: datetime, end: datetime) -> Sql:
    """Who subscribed is on the first mailing list of all in that week; who unsubscribed, on none any more.

    Only those whose memberships changed since the week began are looked at one by one; the others are as they were.
    """
    return Sql(
        """
        WITH touched AS MATERIALIZED (
            SELECT DISTINCT m.contact_id
            FROM membership_change mc
            JOIN membership m ON m.id = mc.membership_id
            WHERE mc.at >= {begin}::timestamptz
        ),
        mailing AS (
            SELECT m.id, m.contact_id, m.status
            FROM membership m
            JOIN contact_list l ON l.id = m.list_id
            WHERE l.kind = 'MAILING'
        ),
        stood AS MATERIALIZED (
            SELECT
                mailing.contact_id,
                coalesce(bool_or(before.to_status = 'ACTIVE'), FALSE) AS before,
                coalesce(bool_or(after.to_status = 'ACTIVE'), FALSE) AS after,
                bool_or(mailing.status = 'ACTIVE') AS now
            FROM touched
            JOIN mailing ON mailing.contact_id = touched.contact_id
            LEFT JOIN LATERAL (
                SELECT mc.to_status
                FROM membership_change mc
                WHERE mc.membership_id = mailing.id
                  AND mc.at < {begin}::timestamptz
                ORDER BY mc.id DESC
                LIMIT 1
            ) AS before ON TRUE
            LEFT JOIN LATERAL (
                SELECT mc.to_status
                FROM membership_change mc
                WHERE mc.membership_id = mailing.id
                  AND mc.at < {end}::timestamptz
                ORDER BY mc.id DESC
                LIMIT 1
            ) AS after ON TRUE
            GROUP BY mailing.contact_id
        ),
        changed AS MATERIALIZED (
            SELECT mailing.contact_id, mc.id, mc.to_status, mc.source_detail, mc.form_id
            FROM stood
            JOIN mailing ON mailing.contact_id = stood.contact_id
            JOIN membership_change mc ON mc.membership_id = mailing.id
            WHERE mc.at >= {begin}::timestamptz
              AND mc.at < {end}::timestamptz
        ),
        came AS MATERIALIZED (
            SELECT DISTINCT ON (changed.contact_id)
                changed.contact_id,
                CASE
                    WHEN fo.id IS NOT NULL AND NOT EXISTS (
                        SELECT
                        FROM jsonb_array_elements(fo.asks) AS asked
                        WHERE asked ->> 'name' <> ALL ({block}::text[])
                    ) THEN 'WEBSITE'
                    WHEN fo.id IS NOT NULL OR changed.source_detail = 'FORM' THEN 'FORM'
                    WHEN changed.source_detail = 'CHECKOUT' THEN 'CHECKOUT'
                    WHEN changed.source_detail IN ('IMPORT', 'SYNC') THEN 'IMPORT'
                    ELSE 'OTHER'
                END AS source
            FROM changed
            JOIN stood ON stood.contact_id = changed.contact_id AND NOT stood.before
            LEFT JOIN form fo ON fo.id = changed.form_id
            WHERE changed.to_status = 'ACTIVE'
            ORDER BY changed.contact_id, changed.id
        ),
        went AS (
            SELECT stood.contact_id
            FROM stood
            WHERE NOT stood.after
              AND (stood.before OR stood.contact_id IN (SELECT came.contact_id FROM came))
              AND stood.contact_id IN (
                  SELECT changed.contact_id FROM changed WHERE changed.to_status = 'UNSUBSCRIBED'
              )
        ),
        rest AS (
            SELECT
                (SELECT count(DISTINCT mailing.contact_id) FROM mailing WHERE mailing.status = 'ACTIVE')
                - (SELECT count(*) FROM stood WHERE stood.now) AS n
        )
        SELECT
            coalesce(
                (SELECT rw.total FROM report_week rw WHERE rw.week = {week}::date - 7),
                rest.n + (SELECT count(*) FROM stood WHERE stood.before)
            ) AS total_before,
            rest.n + (SELECT count(*) FROM stood WHERE stood.after) AS total,
            (SELECT count(*) FROM came) AS subscribed,
            (SELECT count(*) FROM went) AS unsubscribed,
            (SELECT count(*) FROM came WHERE came.source = 'WEBSITE') AS website,
            (SELECT count(*) FROM came WHERE came.source = 'CHECKOUT') AS checkout,
            (SELECT count(*) FROM came WHERE came.source = 'IMPORT') AS imported,
            (SELECT count(*) FROM came WHERE came.source = 'FORM') AS forms,
            (SELECT count(*) FROM came WHERE came.source = 'OTHER') AS others
        FROM rest
        """,
        week=week,
        begin=begin,
        end=end,
        block=_OF_A_BLOCK,
    )


def _written(report: dict[str, Any], by: Caller) -> Sql:
    return Sql(
        """
        INSERT INTO weekly_report (
            week, begins_at, ends_at, total_before, total, subscribed, unsubscribed, website, checkout, imported, forms,
            others, recipients, created_at
        )
        SELECT
            {week}::date, {begins_at}::timestamptz, {ends_at}::timestamptz, {total_before}::bigint, {total}::bigint,
            {subscribed}::bigint, {unsubscribed}::bigint, {website}::bigint, {checkout}::bigint, {imported}::bigint,
            {forms}::bigint, {others}::bigint,
            ARRAY(
                SELECT u.id
                FROM user_account u
                WHERE u.role = 'OWNER'
                  AND u.deactivated_at IS NULL
                  AND u.weekly_report
                ORDER BY u.id
            ),
            {now}::timestamptz
        RETURNING *
        """,
        **report,
        now=by.now,
    )


async def _mail(report: dict[str, Any], by: Caller) -> None:
    """One mail for each recipient; its name is that of the report and the user, so there is never a second one."""
    if not report["recipients"]:
        return
    totals = await db.rows(
        Sql(
            """
            SELECT rw.week, rw.total
            FROM report_week rw
            WHERE rw.week <= {week}::date
            ORDER BY rw.week DESC
            LIMIT {most}::integer
            """,
            week=report["week"],
            most=CHART_WEEKS,
        )
    )
    letter = report_letters.written(
        report,
        [(row["week"], row["total"]) for row in reversed(totals)],
        account=await db.value(Sql("SELECT ac.name FROM account ac")),
    )
    keys = [f"report:{report['id']}:user:{user}" for user in report["recipients"]]
    contents = [db.jsonb({"userId": user, **letter}) for user in report["recipients"]]
    await deliveries.queue(notifications.notices(keys, contents), by=by)
