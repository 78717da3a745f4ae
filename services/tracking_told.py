"""Visits and events that trusted programs tell of: checked, and matched with contacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson

from kit import db
from kit.errors import Problems
from kit.sql import Sql
from services import idempotency, tracking, visitors
from services.caller import Caller
from services.tracking_entries import Entry, event, page

OPERATION = "recordEvents"
ENTRIES_MAX = 1_000
AHEAD_MAX = timedelta(days=1)


async def tell(
    pages: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]], *, key: str | None = None, by: Caller
) -> int:
    """Write down what a trusted program tells, up to 1,000 visits and events together; how many there were.

    Each has `contact_id`, `email` or `visitor`, of which a browser told together with a contact is the contact's from
    now on; `at` may be long ago; else as in `tracking_entries`, with `device`. With a `key` the same call again writes
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
        await tracking.record(entries, by=by)
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
