"""Visits and events: what people do on websites and in apps, written down many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from kit import bell, config, db
from kit.sql import Sql
from services import visitors
from services.caller import Caller
from services.tracking_entries import Entry

FORGOTTEN_MAX = 5_000


async def record(entries: Sequence[Entry], *, by: Caller, site_id: int | None = None) -> None:
    """Write down visits and events of contacts, or of browsers, whose contacts they are if they are known."""
    async with db.transaction():
        browsers = sorted({each.visitor for each in entries if each.visitor})
        if browsers:
            await db.execute(_seen(browsers, by))
        await db.execute(_written(entries, site_id, by))
        await bell.ring("dispatch")


def _seen(browsers: list[str], by: Caller) -> Sql:
    """The browsers are there, and nobody says whose they are until the commit."""
    return Sql(
        """
        INSERT INTO visitor AS vi (token, seen_at)
        SELECT w.token, {now}::timestamptz
        FROM unnest({tokens}::text[]::uuid[]) AS w (token)
        ORDER BY w.token
        ON CONFLICT (token) DO UPDATE SET seen_at = greatest(vi.seen_at, excluded.seen_at)
        """,
        tokens=browsers,
        now=by.now,
    )


def _written(entries: Sequence[Entry], site_id: int | None, by: Caller) -> Sql:
    rows = [
        {
            "place": place,
            "kind": each.kind,
            "contact_id": each.contact_id,
            "visitor": each.visitor,
            "at": each.at or by.now,
            **each.row,
        }
        for place, each in enumerate(entries)
    ]
    return Sql(
        """
        WITH told AS (
            SELECT w.*
            FROM jsonb_to_recordset({rows}::jsonb) AS w (
                place integer, kind text, contact_id bigint, visitor uuid, at timestamptz,
                url text, path text, query text, title text, referrer text, utm_source text, utm_medium text,
                utm_campaign text, utm_term text, utm_content text, device text, browser text, country text,
                region text, city text, name text, value text, number_value numeric, properties jsonb
            )
        ),
        standing AS MATERIALIZED (
            SELECT c.id
            FROM contact c
            WHERE c.id IN (
                SELECT coalesce(told.contact_id, vi.contact_id)
                FROM told
                LEFT JOIN visitor vi ON vi.token = told.visitor
            )
            ORDER BY c.id
            FOR KEY SHARE
        ),
        whose AS MATERIALIZED (
            SELECT told.*, vi.id AS visitor_id, standing.id AS known_id
            FROM told
            LEFT JOIN visitor vi ON vi.token = told.visitor
            LEFT JOIN standing ON standing.id = coalesce(told.contact_id, vi.contact_id)
        ),
        looked AS (
            INSERT INTO page_visit (
                site_id, visitor_id, contact_id, at, url, path, query, title, referrer, utm_source, utm_medium,
                utm_campaign, utm_term, utm_content, device, browser, country, region, city, recorded_at
            )
            SELECT
                {site}::bigint, w.visitor_id, w.known_id, w.at, w.url, w.path, w.query, w.title, w.referrer,
                w.utm_source, w.utm_medium, w.utm_campaign, w.utm_term, w.utm_content, w.device, w.browser, w.country,
                w.region, w.city, {now}::timestamptz
            FROM whose w
            WHERE w.kind = 'page'
            ORDER BY w.place
            RETURNING *
        ),
        did AS (
            INSERT INTO tracked_event (
                site_id, visitor_id, contact_id, at, name, value, number_value, properties, device, recorded_at
            )
            SELECT
                {site}::bigint, w.visitor_id, w.known_id, w.at, w.name, w.value, w.number_value, w.properties, w.device,
                {now}::timestamptz
            FROM whose w
            WHERE w.kind = 'event'
            ORDER BY w.place
            RETURNING *
        ),
        located AS (
            UPDATE contact c
            SET country = latest.country,
                region = latest.region,
                city = latest.city,
                postal_code = NULL
            FROM (
                SELECT DISTINCT ON (looked.contact_id) looked.contact_id, looked.country, looked.region, looked.city
                FROM looked
                WHERE looked.country IS NOT NULL
                ORDER BY looked.contact_id, looked.at DESC
            ) AS latest
            WHERE c.id = latest.contact_id
              AND NOT c.location_told
              AND (c.country, c.region, c.city) IS DISTINCT FROM (latest.country, latest.region, latest.city)
        ),
        {follows}
        SELECT
        """,
        rows=db.jsonb(rows),
        site=site_id,
        now=by.now,
        follows=visitors.follows(by, joined=False),
    )


async def forget(now: datetime) -> int:
    """Delete some of the visits, events and browsers of people nobody knows that are older than the setting says."""
    before = now - timedelta(days=config.settings().anonymous_visit_days)
    return await db.value(
        Sql(
            """
            WITH visits AS (
                DELETE FROM page_visit pv
                WHERE pv.id IN (
                    SELECT x.id FROM page_visit x WHERE x.contact_id IS NULL AND x.at < {before}::timestamptz
                    LIMIT {count_max}::integer FOR UPDATE SKIP LOCKED
                )
                RETURNING pv.id
            ),
            events AS (
                DELETE FROM tracked_event te
                WHERE te.id IN (
                    SELECT x.id FROM tracked_event x WHERE x.contact_id IS NULL AND x.at < {before}::timestamptz
                    LIMIT {count_max}::integer FOR UPDATE SKIP LOCKED
                )
                RETURNING te.id
            ),
            browsers AS (
                DELETE FROM visitor vi
                WHERE vi.id IN (
                    SELECT x.id FROM visitor x WHERE x.contact_id IS NULL AND x.seen_at < {before}::timestamptz
                    LIMIT {count_max}::integer FOR UPDATE SKIP LOCKED
                )
                RETURNING vi.id
            )
            SELECT (SELECT count(*) FROM visits) + (SELECT count(*) FROM events) + (SELECT count(*) FROM browsers)
            """,
            before=before,
            count_max=FORGOTTEN_MAX,
        )
    )
