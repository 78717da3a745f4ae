"""Times that come again and again: five fields as cron has them, in a time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from kit.errors import Problems

SCHEDULE_LENGTH_MAX = 100
FIELDS = 5


def check(schedule: str | None, zone: str, problems: Problems, *, now: datetime) -> None:
    """Note what is none at `schedule` and `timezone`: also a time that never comes, such as 30 February."""
    if zone not in available_timezones():
        problems.add("INVALID_VALUE", "Give the name of a time zone, such as Europe/Berlin.", "timezone")
    elif schedule is not None:
        try:
            if len(schedule.split()) != FIELDS:  # with six, the library reads seconds
                raise CronSimError
            following(schedule, zone, now)
        except (CronSimError, StopIteration):
            words = 'Give five fields as cron has them: "0 3 * * *" is every night at three.'
            problems.add("INVALID_VALUE", words, "schedule")


def following(schedule: str, zone: str, now: datetime) -> datetime:
    """When the time comes next. A wall clock that skips an hour, or has one twice, does not skip or double it."""
    return next(CronSim(schedule, now.astimezone(ZoneInfo(zone)))).astimezone(UTC)
