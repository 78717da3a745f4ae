"""Where a value of a contact lies, and how a test of it becomes a test of the contact."""

from __future__ import annotations

from dataclasses import dataclass

from kit.sql import NOTHING, Sql, negation
from segments.values import ValueType


@dataclass(frozen=True, slots=True)
class Place:
    """A value in the contact's own row; `never_null` where there always is one."""

    type: ValueType
    expression: Sql
    never_null: bool = False

    def holds(self, test: Sql) -> Sql:
        """True or false for the contact `c`: it has a value, and the test is true of it."""
        return test if self.never_null else Sql("({e} IS NOT NULL AND {test})", e=self.expression, test=test)

    def lacks(self, test: Sql) -> Sql:
        """The exact complement of `holds`."""
        return negation(self.holds(test))


@dataclass(frozen=True, slots=True)
class PlaceElsewhere(Place):
    """A value in a row of another table that belongs to the contact."""

    row: Sql = NOTHING  # `FROM … WHERE …`, from the contact's alias to the row

    def holds(self, test: Sql) -> Sql:
        return Sql("EXISTS (SELECT {row} AND {test})", row=self.row, test=test)

    def lacks(self, test: Sql) -> Sql:
        # EXISTS is never NULL, so this is the complement, and one that the planner can turn into an anti-join.
        return Sql("NOT EXISTS (SELECT {row} AND {test})", row=self.row, test=test)
