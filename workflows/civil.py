"""Days and times of day as people live them: zones, hours that are skipped or come twice, days that a year lacks."""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from kit import db
from kit.errors import Problem
from kit.sql import Sql
from workflows.batch import Batch, Run

CONTACT, ACCOUNT = "CONTACT", "ACCOUNT"

_TIME = re.compile(r"(\d{2}):(\d{2})", re.ASCII)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_fault(given: str | None) -> Problem | None:
    """What is wrong with a step's zone: CONTACT, ACCOUNT or a name; None is the automation's."""
    if given is None or given in (CONTACT, ACCOUNT) or given in _names():
        return None
    return Problem("INVALID_VALUE", "Give CONTACT, ACCOUNT or a time zone like Europe/Berlin.", ("zone",))


def time_fault(given: str | None) -> Problem | None:
    if given is None or read_time(given) is not None:
        return None
    return Problem("WRONG_TYPE", 'Give a time of day as "09:30".', ("time",))


def read_time(given: str) -> time | None:
    """The time of day in "09:30"."""
    found = _TIME.fullmatch(given)
    hour, minute = (int(found[1]), int(found[2])) if found else (24, 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def read_instant(given: str) -> datetime | None:
    """The instant in an ISO 8601 text with an offset, in UTC."""
    try:
        found = datetime.fromisoformat(given) if "T" in given else None
        return None if found is None or found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first instant at which clocks in the zone show this time or a later one on this day, in UTC.

    What comes twice is meant the first time; what is skipped is over when the clocks are put forward.
    """
    local = datetime.combine(day, at, tzinfo=zone)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    before, after = local.replace(fold=1).astimezone(UTC), found
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == offset else (before, middle)
    return after.replace(microsecond=0)


def anniversary(day: date, year: int) -> date:
    """The day in another year; 29 February is the 28th in common ones (domain 2.5)."""
    return (
        day.replace(year=year, day=28)
        if (day.month, day.day) == (2, 29) and not isleap(year)
        else day.replace(year=year)
    )


async def zones(batch: Batch, wanted: str | None) -> Callable[[Run], ZoneInfo]:
    """The zone that holds for each run: a fixed one, the contact's, the account's, or by default the automation's. Who
    has none has the account's."""
    if wanted not in (None, CONTACT, ACCOUNT):
        fixed = ZoneInfo(wanted)
        return lambda run: fixed
    rows = await db.rows(
        Sql(
            """
            SELECT NULL::bigint AS contact_id, account.timezone, a.timezone AS own
            FROM account
            LEFT JOIN automation a ON a.id = {automation_id}::bigint
            UNION ALL
            SELECT c.id, c.timezone, NULL
            FROM contact c
            WHERE {of_contacts}::boolean
              AND c.id IN (SELECT candidate.id FROM ({contacts}) AS candidate)
              AND c.timezone IS NOT NULL
            """,
            automation_id=batch.automation_id,
            of_contacts=wanted == CONTACT,
            contacts=batch.contacts,
        )
    )
    general = next(row for row in rows if row["contact_id"] is None)
    usual = ZoneInfo(general["own"] if wanted is None and general["own"] else general["timezone"])
    own = {row["contact_id"]: ZoneInfo(row["timezone"]) for row in rows if row["timezone"] in _names()}
    return lambda run: own.get(run.contact_id, usual)
