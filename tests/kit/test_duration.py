"""Durations add up by the clock, months and years by the calendar."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import db as database
from kit.duration import Duration
from kit.sql import Sql

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        ("2026-01-31T09:00Z", Duration(months=1), "2026-02-28T09:00Z"),
        ("2024-02-29T09:00Z", Duration(years=1), "2025-02-28T09:00Z"),
        ("2026-01-01T00:00Z", Duration(weeks=1, days=1, hours=2, minutes=3, seconds=4), "2026-01-09T02:03:04Z"),
        ("2026-01-31T09:00Z", Duration(months=1, days=1), "2026-03-01T09:00Z"),
        ("2026-01-31T09:00Z", Duration(), "2026-01-31T09:00Z"),
    ],
)
def test_a_duration_after_an_instant(start, length, end):
    assert length.after(datetime.fromisoformat(start)) == datetime.fromisoformat(end)


def test_a_day_has_24_hours_and_a_month_keeps_the_hour_of_the_zone():
    eve = datetime(2026, 3, 28, 12, tzinfo=BERLIN)  # the clocks go forward in the night
    assert Duration(days=1).after(eve, BERLIN) == datetime(2026, 3, 29, 13, tzinfo=BERLIN)
    assert Duration(months=1).after(eve, BERLIN) == datetime(2026, 4, 28, 12, tzinfo=BERLIN)
    assert Duration(months=1).before(eve, BERLIN) == datetime(2026, 2, 28, 12, tzinfo=BERLIN)


@given(st.builds(Duration, *[st.integers(0, 1000)] * 7))
def test_its_sentence_names_every_part(length):
    told = length.describe()
    for part in ("years", "months", "weeks", "days", "hours", "minutes", "seconds"):
        amount = getattr(length, part)
        assert not amount or f"{amount:,} {part[:-1]}" in told


def test_it_tells_itself_in_words():
    assert Duration(months=1, days=3).describe() == "1 month and 3 days"
    assert Duration().describe() == "0 seconds"


@pytest.mark.parametrize(
    "length", [Duration(months=1), Duration(years=2, months=3, weeks=1, seconds=5), Duration(days=40)]
)
async def test_as_an_interval_it_is_the_same_length(db, length):
    for start in (datetime(2026, 1, 31, 9, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC)):
        end = Sql("SELECT {start}::timestamptz + {length}", start=start, length=length.interval())
        assert await database.value(end) == length.after(start)
