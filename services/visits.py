"""Visits and events: what people do on websites and in apps, written down many at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from kit import bell, card, config, db, page_url, text
from kit.browser import Browser
from kit.errors import Problem, Problems, Refused
from kit.places import Spot
from kit.sql import Sql
from services import idempotency, visitors
from services.caller import Caller

OPERATION = "recordEvents"
ENTRIES_MAX = 1_000
NAME_LENGTH_MAX = 100
VALUE_LENGTH_MAX = 500
TITLE_LENGTH_MAX = 300
PROPERTIES_BYTES_MAX = 4_000
NUMBER_MAX = 10**15
AHEAD_MAX = timedelta(days=1)
FORGOTTEN_MAX = 5_000
DEVICES = ("DESKTOP", "MOBILE", "TABLET")

PAGE, EVENT = "page", "event"


@dataclass(frozen=True, slots=True)
class Entry:
    """One visit of a page or one event, as it is written down; `at` None is now."""

    kind: str
    row: Mapping[str, Any]
    at: datetime | None = None
    contact_id: int | None = None
    visitor: str | None = None
    email: str | None = None

    def seen_by(self, browser: Browser, spot: Spot) -> Entry:
        """The same with what is known of where it was done."""
        also = {"device": browser.device}
        if self.kind == PAGE:
            also |= {"browser": browser.family, "country": spot.country, "region": spot.region, "city": spot.city}
        return replace(self, row={**self.row, **also})


def page(given: Mapping[str, Any], problems: Problems) -> Entry:
    """A visit from `url title referrer`. Faults: what is no address (INVALID_VALUE), a faulty title."""
    found = page_url.read(given.get("url"))
    if found is None:
        problems.add("INVALID_VALUE", "Give the whole address of a page, such as https://shop.test/pricing.", "url")
        found = page_url.PageUrl("", "", "")
    came = page_url.read(given.get("referrer"))
    return Entry(
        PAGE,
        {
            "url": found.url,
            "path": found.path,
            "query": found.query,
            "title": _text({"title": _line(given.get("title"))}, "title", TITLE_LENGTH_MAX, problems),
            "referrer": came.url if came is not None and came.host != found.host else None,
            **found.utm,
        },
    )


def event(given: Mapping[str, Any], problems: Problems) -> Entry:
    """An event from `name value properties`. Faults: no name, a value that is neither text, number, true nor false,
    properties that are no object or more than 4 kB."""
    name = _text(given, "name", NAME_LENGTH_MAX, problems)
    if name is None and not problems:
        problems.add("REQUIRED", "Say what happened.", "name")
    value, number = given.get("value"), None
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int | float):
        number = value if abs(value) < NUMBER_MAX else None
        value = str(value)
    value = _text({"value": value}, "value", VALUE_LENGTH_MAX, problems)
    properties = given.get("properties")
    if properties is not None:
        problems.extend(_properties_faults(properties), "properties")
    return Entry(EVENT, {"name": name, "value": value, "number_value": number, "properties": properties})


def _line(title: Any) -> Any:
    """Titles of pages come with line breaks, and sometimes long."""
    return " ".join(title.split())[:TITLE_LENGTH_MAX] if isinstance(title, str) else title


def _text(given: Mapping[str, Any], key: str, length_max: int, problems: Problems) -> str | None:
    value = given.get(key)
    if value is None:
        return None
    fault = text.fault(value, length_max=length_max)
    if fault is not None:
        problems.extend([fault], key)
        return None
    return text.clean(value) or None


def _properties_faults(given: Any) -> list[Problem]:
    if not isinstance(given, dict):
        return [Problem("WRONG_TYPE", "Give an object.")]
    try:
        card.json(given)
        too_long = len(orjson.dumps(given, default=str)) > PROPERTIES_BYTES_MAX
    except Refused as refused:
        return list(refused.problems)
    return [Problem("TOO_LONG", f"At most {PROPERTIES_BYTES_MAX:,} bytes are allowed.")] if too_long else []


async def tell(
    pages: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]], *, key: str | None = None, by: Caller
) -> int:
    """Write down what a trusted program tells, up to 1,000 visits and events together; how many there were.

    Each has `contact_id`, `email` or `visitor`, of which a browser told together with a contact is the contact's from
    now on; `at` may be long ago; else as in `page` and `event`, with `device`. With a `key` the same call again writes
    nothing more. Refused, all faults at once, with paths below `pages` and `events`: nobody named (REQUIRED), contacts
    that are not there (NOT_FOUND), instants to come. Then IDEMPOTENCY_MISMATCH.
    """
    return await idempotency.once(OPERATION, key, [pages, events], lambda: _tell(pages, events, by), by=by)


async def _tell(pages: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]], by: Caller) -> int:
    problems = Problems()
    if len(pages) + len(events) > ENTRIES_MAX:
        problems.add("TOO_LONG", f"Tell at most {ENTRIES_MAX:,} at a time.", "pages" if pages else "events")
        problems.refuse()
    told = [
        _told(given, (word, str(at)), read, problems, by)
        for word, many, read in (("pages", pages, page), ("events", events, event))
        for at, given in enumerate(many)
    ]
    problems.refuse()
    async with db.transaction():
        entries = await _known([entry for _, entry in told], [path for path, _ in told], problems)
        problems.refuse()
        together = [(each.visitor, each.contact_id) for each in entries if each.visitor and each.contact_id]
        if together:
            await visitors.join(visitors.pairs(together), by=by)
        await record(entries, by=by)
    return len(entries)


def _told(
    given: Mapping[str, Any], path: tuple[str, ...], read: Any, problems: Problems, by: Caller
) -> tuple[tuple[str, ...], Entry]:
    own = Problems()
    entry: Entry = read(given, own)
    visitor = visitors.read(given.get("visitor"))
    if given.get("visitor") is not None and visitor is None:
        own.add("INVALID_VALUE", "Give the number of a browser, which is a UUID.", "visitor")
    named = [given.get(key) is not None for key in ("contact_id", "email", "visitor")]
    if not any(named):
        own.add("REQUIRED", "Say whose this is: give contactId, email or visitor.", "contactId")
    at = given.get("at")
    if at is not None and at > by.now + AHEAD_MAX:
        own.add("OUT_OF_RANGE", "This is still to come.", "occurredAt")
    problems.extend(own, *path)
    row = {**entry.row, "device": given.get("device")}
    mail = given.get("email")
    return path, replace(
        entry,
        row=row,
        at=at,
        contact_id=given.get("contact_id"),
        visitor=visitor,
        email=mail.strip() if isinstance(mail, str) else None,
    )


async def _known(entries: list[Entry], paths: list[tuple[str, ...]], problems: Problems) -> list[Entry]:
    """The entries with the contacts behind their ids and addresses; who is not there is noted."""
    row = await db.row(
        Sql(
            """
            SELECT
                (SELECT array_agg(c.id) FROM contact c WHERE c.id = ANY({ids}::bigint[])) AS ids,
                (SELECT jsonb_object_agg(lower(c.email), c.id) FROM contact c
                 WHERE lower(c.email) IN (SELECT lower(w.email) FROM unnest({emails}::text[]) AS w (email))) AS emails
            """,
            ids=[each.contact_id for each in entries if each.contact_id is not None],
            emails=[each.email for each in entries if each.email and "\0" not in each.email],
        )
    )
    assert row is not None
    there, by_email = set(row["ids"] or ()), orjson.loads(row["emails"] or "{}")
    found = []
    for each, path in zip(entries, paths, strict=True):
        contact_id = each.contact_id
        if contact_id is not None and contact_id not in there:
            problems.add("NOT_FOUND", "This contact does not exist.", *path, "contactId")
        elif contact_id is None and each.email is not None:
            contact_id = by_email.get(each.email.lower())
            if contact_id is None:
                problems.add("NOT_FOUND", "No contact has this address.", *path, "email")
        found.append(replace(each, contact_id=contact_id))
    return found


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
