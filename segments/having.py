"""Conditions about rows that belong to a contact: one of them meets everything that is asked, or none does."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar

from kit.sql import TRUE, Sql
from segments import flips
from segments.condition import Condition
from segments.places import exists, exists_not
from segments.reading import Reading
from segments.when import When


class Having(Condition):
    """A card with a parameter `is`: whether there is such a row. All other parameters are about the same row."""

    own: ClassVar[str] = "the number of these is"

    is_: bool

    @abstractmethod
    def rows(self, reading: Reading) -> Sql:
        """`FROM … WHERE …`: the rows of the contact `c` that meet everything."""

    def compile(self, reading: Reading) -> Sql:
        return exists(self.rows(reading), reading) if self.is_ else exists_not(self.rows(reading), reading)

    def complement(self, reading: Reading) -> Sql:
        return exists_not(self.rows(reading), reading) if self.is_ else exists(self.rows(reading), reading)

    def finds(self, *, complement: bool = False) -> bool:
        return self.is_ != complement

    def shown(self, reading: Reading) -> Sql:
        """How many such rows there are."""
        return Sql("(SELECT to_jsonb(count(*)) {rows})", rows=self.rows(reading))

    @property
    def depends_on_time(self) -> bool:
        return any(each.depends_on_time for each in vars(self).values() if isinstance(each, When))

    def flips(self, reading: Reading) -> Sql | None:
        turns: list[Sql] = []
        rows = self.rows(replace(reading, turns=turns))  # also those whose time is to come, or is over
        return Sql("(SELECT min({at}) {rows})", at=flips.earliest(turns, reading), rows=rows) if turns else None

    def told(self, *words: str) -> str:
        """The words of a sentence, the empty ones left out, with "not" before them where it is about none."""
        return " ".join(word for word in ("" if self.is_ else "not", *words) if word)


def tested(when: When | None, expression: Sql, reading: Reading) -> Sql:
    """The test of an instant in a row; TRUE where nothing is asked of it."""
    return TRUE if when is None else when.test(expression, reading)
