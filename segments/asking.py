"""Conditions that ask one value of a contact by an operator: `whose total spent is at least 45`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from enum import Enum
from typing import Any

from kit.card import Path
from kit.errors import Problem
from kit.sql import Sql
from segments import operators, zones
from segments.condition import Condition
from segments.names import PLAIN, Names
from segments.places import Place, PlaceElsewhere
from segments.reading import Reading
from segments.zones import Zone

NEVER = Sql("NULL::timestamptz")


class Asking(Condition):
    """A card with the parameters `op` and `value`, which asks the value at a place."""

    op: Enum
    value: Any
    zone: Zone | None = None

    @property
    @abstractmethod
    def place(self) -> Place:
        """Where the value lies."""

    def faults(self) -> Iterator[Problem]:
        yield from operators.faults(self.place.type, self.op, self.value)

    def problems(self, reading: Reading, path: Path) -> Iterator[Problem]:
        for problem in operators.unfit(self.place.type, self.op, self.value, reading):
            yield problem.below(*path, self.key())

    def compile(self, reading: Reading) -> Sql:
        return zones.reckoned(self.zone, reading, lambda by: self._compiled(by, complement=False))

    def complement(self, reading: Reading) -> Sql:
        return zones.reckoned(self.zone, reading, lambda by: self._compiled(by, complement=True))

    def finds(self, *, complement: bool = False) -> bool:
        elsewhere = isinstance(self.place, PlaceElsewhere) and self.zone is not Zone.CONTACT
        return elsewhere and operators.COMPARISONS[self.op.name].negative == complement

    def _compiled(self, reading: Reading, *, complement: bool) -> Sql:
        return operators.compiled(self.place, self.op, self.value, reading, complement=complement)

    def asked(self) -> str:
        """`is at least 45`."""
        return operators.described(self.place.type, self.op, self.value) + zones.told(self.zone)

    def subject(self, names: Names) -> str:
        """What is asked for, as a sentence calls it: `total spent`."""
        return self.describe(names).removeprefix("whose ").removesuffix(self.asked()).strip()

    def shown(self, reading: Reading) -> Sql:
        return self.place.shown()

    def sentence(self, matches: Sql, value: Sql, names: Names = PLAIN) -> Sql:
        denied = operators.described(self.place.type, self.op, self.value, denied=True)
        return compared(self.subject(names), self.asked(), denied + zones.told(self.zone), matches, value)

    @property
    def depends_on_time(self) -> bool:
        return operators.moves(self.place.type, self.op, self.value)

    def flips(self, reading: Reading) -> Sql | None:
        if not self.depends_on_time:
            return None
        return zones.reckoned(
            self.zone, reading, lambda by: operators.flips(self.place, self.op, self.value, by) or NEVER
        )


def compared(subject: str, asked: str, denied: str, matches: Sql, value: Sql) -> Sql:
    """A sentence of what a value is, and how it stands to what was asked: `Total spent is 43.62, which is not …`."""
    return Sql(
        """
        {subject}::text || ' is ' || in_words({value}) || ', which ' ||
            CASE WHEN {matches} THEN {asked}::text ELSE {denied}::text END
        """,
        subject=subject[:1].upper() + subject[1:],
        value=value,
        matches=matches,
        asked=asked,
        denied=denied,
    )
