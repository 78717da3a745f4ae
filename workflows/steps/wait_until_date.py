"""Let the contact rest until a date that one of its fields holds, or so many days before or after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from kit import db
from kit.card import FieldName, Name, Range
from kit.errors import Problem, not_found
from kit.sql import Sql
from segments.reading import Reading
from services import field_changes
from workflows import civil
from workflows.batch import Batch, Run
from workflows.step import Step

DAYS_MOST = 3_660


class DateRelation(Enum):
    """The day itself, or a number of days before or after it."""

    ON = "ON"
    BEFORE = "BEFORE"
    AFTER = "AFTER"


@dataclass(frozen=True)
class WaitUntilDate(Step):
    """`field` is a custom field of type DATE or DATETIME. Who has no value waits until it is filled; a date that is
    past passes at once. `time` ("09:30") is that of the day; without it the day begins, or a DATETIME is reached.

    With `yearly` it comes again every year, on 28 February for a 29th in common years; who arrives on the day itself
    passes at once, but only once a day.
    """

    field: FieldName
    when: DateRelation = DateRelation.ON
    days: Annotated[int, Range(0, DAYS_MOST)] = 0
    time: Name | None = None
    zone: Name | None = None
    yearly: bool = False

    examples: ClassVar = (
        {"field": "renewal", "when": "BEFORE", "days": 7, "time": "09:00", "zone": "CONTACT"},
        {"field": "renewal", "yearly": True},
    )

    async def apply(self, batch: Batch) -> None:
        zone_of = await civil.zones(batch, self.zone)
        value_of = await self._values(batch)
        passing: list[Run] = []
        resting: dict[datetime | None, list[Run]] = defaultdict(list)
        for run in batch.runs:
            value, left = value_of.get(run.contact_id), run.passed.get(batch.place.key)
            until = None if value is None else self.after(value, run.entered_at, zone_of(run), left)
            passed = until is not None and until <= batch.now
            (passing if passed else resting[until]).append(run)
        batch.complete(passing)
        for until, runs in resting.items():
            for run in runs:
                batch.wait([run], until=batch.next_look(run, until), deadline=until, watching=True)

    def after(
        self, value: date | datetime, entered_at: datetime, zone: ZoneInfo, left: datetime | None = None
    ) -> datetime:
        """When the day has come for who arrived at this instant, and may have `left` this step before."""
        at = None if self.time is None else civil.read_time(self.time)
        if isinstance(value, datetime):
            local = value.astimezone(zone)
            value, at = local.date(), at or local.time()
        at = at or time.min
        if not self.yearly:
            return civil.instant(self._shifted(value), at, zone)
        today = entered_at.astimezone(zone).date()
        year = today.year - self.days // 365 - 1
        while True:
            day = self._shifted(civil.anniversary(value, year))
            found = civil.instant(day, at, zone)
            if found > entered_at:
                return found
            if day == today and (left is None or left < found):
                return entered_at
            year += 1

    def _shifted(self, day: date) -> date:
        sign = {DateRelation.ON: 0, DateRelation.BEFORE: -1, DateRelation.AFTER: 1}[self.when]
        return day + timedelta(days=sign * self.days)

    async def _values(self, batch: Batch) -> dict[int, Any]:
        """What the contacts have in the field. Refused: NOT_FOUND where there is no such field any more."""
        rows = await db.rows(
            Sql(
                """
                SELECT v.contact_id, v.date_value AS day, v.time_value AS at
                FROM field f
                LEFT JOIN field_value v
                  ON v.field_id = f.id
                 AND v.contact_id IN (SELECT candidate.id FROM ({contacts}) AS candidate)
                WHERE lower(f.name) = lower({name}::text)
                """,
                name=self.field,
                contacts=batch.contacts,
            )
        )
        if not rows:
            raise not_found("field", "field")
        return {row["contact_id"]: row["day"] or row["at"] for row in rows if row["contact_id"] is not None}

    def rests(self) -> bool:
        return True

    def remembers(self) -> bool:
        return self.yearly

    def faults(self) -> Iterator[Problem]:
        """What is wrong with the whole."""
        if self.when is not DateRelation.ON and not self.days:
            yield Problem("REQUIRED", f"Say how many days {self.when.value.lower()} it.", ("days",))
        if self.when is DateRelation.ON and self.days:
            yield Problem("INVALID_VALUE", "Days go with BEFORE or AFTER.", ("days",))
        yield from (each for each in (civil.time_fault(self.time), civil.zone_fault(self.zone)) if each)

    def problems(self, reading: Reading) -> Iterator[Problem]:
        field = reading.field(self.field)
        # What is unknown is told as a missing reference.
        known = field is not None or self.field in field_changes.BUILT_IN
        if known and (field is None or field.type not in ("DATE", "DATETIME")):
            yield Problem("WRONG_TYPE", f"{self.field} holds no dates.", ("field",))

    def describe(self) -> str:
        shift = "" if self.when is DateRelation.ON else f"{self.days} days {self.when.value.lower()} "
        return f"Wait until {shift}the date in {self.field}" + (", every year" if self.yearly else "")
