"""What a rule is read with: the instant, the account's zone and country, its custom fields and its segments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import orjson

from kit import db
from kit.sql import Sql


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """A custom field as a rule needs to know it."""

    id: int
    name: str
    type: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a rule: everything in it is judged at the same instant."""

    now: datetime
    timezone: str = "UTC"
    default_country: str = "US"
    fields: Mapping[str, FieldDefinition] = field(default_factory=dict)  # by name in lower case
    segments: Mapping[int, Any] = field(default_factory=dict)  # the conditions saved as segments, as they were given
    tags: Mapping[str, int] | None = None  # by name as it is given, where they were looked up: see `with_tags`
    zones: tuple[str, ...] = ()  # in which contacts are, as far as that is known
    of_few: bool = False  # asked of a batch of contacts, not of all there are
    in_sets: bool = False  # asked of all there are: alternatives may be joined, where they stand beside AND alone
    turns: list[Sql] | None = None  # collects when tests of rows may change, which are then not made

    def field(self, name: str) -> FieldDefinition | None:
        """The custom field of this name, in any case."""
        return self.fields.get(name.lower())

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def today(self) -> date:
        """The civil day of the instant in the account's zone."""
        return self.now.astimezone(self.zone).date()

    def start_of(self, day: date) -> datetime:
        """The first instant of a civil day in the account's zone, in UTC; days may have 23 or 25 hours."""
        return datetime.combine(day, time.min, tzinfo=self.zone).astimezone(UTC)

    def end_of(self, day: date) -> datetime:
        """The first instant after a civil day."""
        return self.start_of(day + timedelta(days=1))


_known_zones = cache(available_timezones)  # which looks through folders

# Every zone once, each found by the index of zones: what there are of contacts does not matter.
_ZONES = Sql(
    """(
        WITH RECURSIVE found (zone) AS (
            SELECT (SELECT min(c.timezone) FROM contact c)
            UNION ALL
            SELECT (SELECT min(c.timezone) FROM contact c WHERE c.timezone > found.zone)
            FROM found
            WHERE found.zone IS NOT NULL
        )
        SELECT array_agg(found.zone) FROM found WHERE found.zone IS NOT NULL
    )"""
)


async def reading(now: datetime) -> Reading:
    """The account, its custom fields and its segments as they are, in one statement."""
    found = await db.row(
        Sql(
            """
            SELECT account.timezone,
                   account.default_country,
                   (SELECT json_agg(json_build_object('id', f.id, 'name', f.name, 'type', f.type, 'options', f.options))
                    FROM field f) AS fields,
                   (SELECT json_agg(json_build_object('id', sg.id, 'condition', sg.condition))
                    FROM segment sg) AS segments,
                   {zones} AS zones
            FROM account
            """,
            zones=_ZONES,
        )
    )
    assert found is not None, "the account's row is made by the migration"
    fields = orjson.loads(found["fields"] or "[]")
    return Reading(
        now=now,
        timezone=found["timezone"],
        default_country=found["default_country"],
        fields={
            each["name"].lower(): FieldDefinition(each["id"], each["name"], each["type"], tuple(each["options"]))
            for each in fields
        },
        zones=tuple(zone for zone in found["zones"] or () if zone in _known_zones()),
        segments={each["id"]: each["condition"] for each in orjson.loads(found["segments"] or "[]")},
    )


async def with_tags(reading: Reading, names: Iterable[str]) -> Reading:
    """The same, knowing these tags: the planner sees which they are, and how many contacts have them."""
    wanted = sorted(set(names))
    if not wanted:
        return reading
    query = Sql(
        "SELECT w.name, t.id FROM unnest({names}::text[]) AS w (name) JOIN tag t ON lower(t.name) = lower(w.name)",
        names=wanted,
    )
    found = {row["name"]: row["id"] for row in await db.rows(query)}
    return replace(reading, tags={name: found.get(name, 0) for name in wanted})
