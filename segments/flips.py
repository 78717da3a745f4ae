"""When time alone may change an answer: never told too late, and as a rule not much too early."""

from __future__ import annotations

from collections.abc import Iterable

from kit.duration import Duration
from kit.sql import Sql, join
from segments.reading import Reading

# Months and years end on the last day of shorter months, and clocks are put forward and back. Where that can matter,
# the answer is looked at again and again around the instant that follows from plain reckoning.
_INSTANT = """(
    SELECT CASE
        WHEN {now}::timestamptz < w.at - w.slack THEN w.at - w.slack
        WHEN {now}::timestamptz <= w.at + w.slack THEN least(
            date_bin('15 minutes', {now}::timestamptz, w.base) + interval '15 minutes',
            date_bin('15 minutes', {now}::timestamptz, w.base + interval '1 microsecond') + interval '15 minutes',
            date_bin('15 minutes', {now}::timestamptz, 'epoch') + interval '15 minutes'
        )
    END
    FROM (
        SELECT
            x.base,
            ((x.base AT TIME ZONE {zone}::text) + {months}) AT TIME ZONE {zone}::text AS at,
            CASE
                WHEN extract(day FROM x.base AT TIME ZONE {zone}::text) BETWEEN 4 AND 27 THEN interval '2 hours'
                ELSE interval '5 days'
            END AS slack
        FROM (SELECT {base} AS base) AS x
    ) AS w
)"""
_DAY = """(
    SELECT CASE
        WHEN ((w.day - w.slack)::timestamp AT TIME ZONE {zone}::text) > {now}::timestamptz
            THEN (w.day - w.slack)::timestamp AT TIME ZONE {zone}::text
        WHEN {today}::date < w.day + w.slack THEN {midnight}::timestamptz
    END
    FROM (
        SELECT
            (x.base + {months} + make_interval(days => {more}::integer))::date AS day,
            CASE WHEN extract(day FROM x.base) BETWEEN 4 AND 27 THEN 0 ELSE 5 END AS slack
        FROM (SELECT {base} AS base) AS x
    ) AS w
)"""
_ANNIVERSARY = """(
    SELECT CASE WHEN w.this_year >= {today}::date THEN w.this_year ELSE w.next_year END
    FROM (
        SELECT
            (x.day + make_interval(years => ({year} - extract(year FROM x.day))::integer))::date AS this_year,
            (x.day + make_interval(years => ({year} + 1 - extract(year FROM x.day))::integer))::date AS next_year
        FROM (SELECT {day} AS day) AS x
    ) AS w
)"""


def earliest(instants: Iterable[Sql], reading: Reading) -> Sql:
    """The first of these instants that is after now; NULL where there is none."""
    each = (Sql("CASE WHEN {at} > {now}::timestamptz THEN {at} END", at=at, now=reading.now) for at in instants)
    return Sql("least({each})", each=join(", ", each))


def first(parts: Iterable[Sql | None]) -> Sql | None:
    """The first of several flips; None where there is none at all."""
    found = [part for part in parts if part is not None]
    return Sql("least({each})", each=join(", ", found)) if found else None


def just_after(instant: Sql) -> Sql:
    """The first instant that is later."""
    return Sql("({at} + interval '1 microsecond')", at=instant)


def start_of(day: Sql, reading: Reading, *, days_later: int = 0) -> Sql:
    """The first instant of a civil day."""
    return Sql(
        "(({day} + {later}::integer)::timestamp AT TIME ZONE {zone}::text)",
        day=day,
        later=days_later,
        zone=reading.timezone,
    )


def instant_apart(instant: Sql, length: Duration, reading: Reading, *, back: bool = False) -> Sql:
    """About when an instant is this long ago, or (`back`) this long ahead."""
    base = Sql("({at} - {fixed}::interval)" if back else "({at} + {fixed}::interval)", at=instant, fixed=length.fixed)
    if not length.years and not length.months:
        return base if back else just_after(base)
    return Sql(_INSTANT, base=base, months=_months(length, back), now=reading.now, zone=reading.timezone)


def day_apart(day: Sql, length: Duration, reading: Reading, *, back: bool = False, more: int = 0) -> Sql:
    """About when the civil day this long after a day, or before it, begins; `more` days are added."""
    base = Sql("({day} {sign} {days}::integer)", day=day, sign=Sql("-" if back else "+"), days=length.fixed.days)
    if not length.years and not length.months:
        return start_of(base, reading, days_later=more)
    return Sql(
        _DAY,
        base=base,
        months=_months(length, back),
        more=more,
        now=reading.now,
        today=reading.today,
        midnight=reading.end_of(reading.today),
        zone=reading.timezone,
    )


def next_anniversary(day: Sql, reading: Reading) -> Sql:
    """The day on which it returns, today or later; the 29th of February on the 28th of other years."""
    return Sql(_ANNIVERSARY, day=day, today=reading.today, year=Sql("{year}::integer", year=reading.today.year))


def _months(length: Duration, back: bool) -> Sql:
    sign = -1 if back else 1
    return Sql(
        "make_interval(years => {years}::integer, months => {months}::integer)",
        years=sign * length.years,
        months=sign * length.months,
    )
