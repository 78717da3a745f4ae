"""Days that come: whoever has one written in a field is told of as a fact, once, and dispatch lets them in.

A trigger keeps the day up to which everybody was told, so a server that was down catches up day by day; and within the
day that is being told, the contact up to which it was, so any number of contacts can have the same day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from kit import bell, db
from kit.errors import Invalid
from kit.sql import Sql
from segments import rule
from segments.reading import FieldDefinition
from services import caller, facts
from workflows import trigger
from workflows.triggers.date_reached import DateReached

CONTACTS_MAX = 5_000  # told of in one transaction


@dataclass(frozen=True, slots=True)
class Scan:
    """A trigger whose next day has come."""

    trigger_id: int
    card: DateReached
    field: FieldDefinition
    zone: ZoneInfo
    done: date  # this day and all before it are done with
    from_contact: int
    day: date


async def pass_(now: datetime) -> int:
    """Tell of up to a few thousand contacts for each trigger whose day has come; how many were told of."""
    told = 0
    for scan in await _due(now):
        told += await _tell(scan, now)
    return told


async def _due(now: datetime) -> list[Scan]:
    rows = await db.rows(
        Sql(
            """
            SELECT
                g.id, g.parameters, g.scanned_day, g.scanned_contact,
                coalesce(a.timezone, account.timezone) AS zone,
                greatest(a.active_since, g.created_at) AS since
            FROM trigger g
            JOIN automation a ON a.id = g.automation_id
            CROSS JOIN account
            WHERE g.kind = 'DATE_REACHED'
              AND g.removed_at IS NULL
              AND g.enabled
              AND a.status = 'ACTIVE'
            ORDER BY g.id
            """
        )
    )
    if not rows:
        return []
    fields = (await rule.reading(now)).fields
    found = (_scan(row, fields, now) for row in rows)
    return [scan for scan in found if scan is not None]


def _scan(row: dict[str, Any], fields: Any, now: datetime) -> Scan | None:
    """The next day of the trigger if it has come. The day of its activation counts, whatever its hour."""
    try:
        card = trigger.read(orjson.loads(row["parameters"]))
    except Invalid:
        return None
    assert isinstance(card, DateReached)
    zone = ZoneInfo(card.timezone or row["zone"])
    eve = row["since"].astimezone(zone).date() - timedelta(days=1)
    known = row["scanned_day"]
    done = eve if known is None else max(known, eve)
    day, field = done + timedelta(days=1), fields.get(card.name.lower())
    if field is None or card.instant(day, zone) > now:
        return None
    return Scan(row["id"], card, field, zone, done, (row["scanned_contact"] or 0) if done == known else 0, day)


async def _tell(scan: Scan, now: datetime) -> int:
    """The facts of the next contacts and the mark behind them, in one transaction."""
    async with db.transaction():
        held = await db.value(
            Sql(
                """
                SELECT g.id
                FROM trigger g
                WHERE g.id = {id}::bigint
                  AND g.removed_at IS NULL
                  AND (
                      g.scanned_day IS NULL
                      OR g.scanned_day < {done}::date
                      OR g.scanned_day = {done}::date AND coalesce(g.scanned_contact, 0) = {from_contact}::bigint
                  )
                FOR NO KEY UPDATE SKIP LOCKED
                """,
                id=scan.trigger_id,
                done=scan.done,
                from_contact=scan.from_contact,
            )
        )
        if held is None:
            return 0  # another worker is at it, or was
        told = await db.row(_facts(scan, now))
        assert told is not None
        everybody = told["number"] < CONTACTS_MAX
        await db.execute(
            Sql(
                """
                UPDATE trigger g
                SET scanned_day = {day}::date,
                    scanned_contact = {contact}::bigint
                WHERE g.id = {id}::bigint
                """,
                id=scan.trigger_id,
                day=scan.day if everybody else scan.done,
                contact=None if everybody else told["latest"],
            )
        )
        if told["number"]:
            await bell.ring("dispatch")
    return told["number"] or int(everybody)


def _facts(scan: Scan, now: datetime) -> Sql:
    return Sql(
        """
        WITH found AS (
            SELECT v.contact_id, v.value
            FROM field_value v
            WHERE v.field_id = {field}::bigint
              AND {that_day}
              AND v.contact_id > {from_contact}::bigint
            ORDER BY v.contact_id
            LIMIT {contacts_max}::integer
        ),
        {facts}
        SELECT count(*) AS number, max(found.contact_id) AS latest
        FROM found
        """,
        field=scan.field.id,
        that_day=_that_day(scan),
        from_contact=scan.from_contact,
        contacts_max=CONTACTS_MAX,
        facts=facts.recorded(
            Sql(
                """
                SELECT
                    found.contact_id,
                    'DATE_REACHED' AS kind,
                    {trigger}::bigint AS subject,
                    jsonb_build_object(
                        'when', {words}::text,
                        'field', (SELECT f.label FROM field f WHERE f.id = {field}::bigint),
                        'date', found.value,
                        'day', {day}::text
                    ) AS data
                FROM found
                ORDER BY found.contact_id
                """,
                trigger=scan.trigger_id,
                words=scan.card.words(),
                field=scan.field.id,
                day=scan.day.isoformat(),
            ),
            by=caller.system(now),
        ),
    )


def _that_day(scan: Scan) -> Sql:
    """SQL over `v`: the field has the day that the scan is for."""
    wanted = scan.card.written(scan.day)
    day = (
        Sql("v.date_value")
        if scan.field.type == "DATE"
        else Sql("(v.time_value AT TIME ZONE {zone}::text)::date", zone=scan.zone.key)
    )
    if not scan.card.ignore_year:
        return Sql("{day} = {wanted}::date", day=day, wanted=wanted)
    days = [wanted.month * 100 + wanted.day]
    if days == [228] and (wanted + timedelta(days=1)).day == 1:
        days.append(229)
    return Sql(
        "(extract(month FROM {day}) * 100 + extract(day FROM {day}))::integer = ANY({days}::integer[])",
        day=day,
        days=days,
    )
