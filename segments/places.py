"""Where a value of a contact lies, and how a test of it becomes a test of the contact."""

from __future__ import annotations

from dataclasses import dataclass

from kit.sql import NOTHING, Sql, negation
from segments.reading import Reading
from segments.values import ValueType


@dataclass(frozen=True, slots=True)
class Place:
    """A value in the contact's own row; `never_null` where there always is one."""

    type: ValueType
    expression: Sql
    never_null: bool = False

    def holds(self, test: Sql, reading: Reading) -> Sql:
        """True or false for the contact `c`: it has a value, and the test is true of it."""
        return test if self.never_null else Sql("({e} IS NOT NULL AND {test})", e=self.expression, test=test)

    def shown(self) -> Sql:
        """The value as JSON."""
        return Sql("to_jsonb({e})", e=self.expression)

    def lacks(self, test: Sql, reading: Reading) -> Sql:
        """The exact complement of `holds`."""
        return negation(self.holds(test, reading))

    def of_value(self, expression: Sql) -> Sql:
        """An expression over the value as one over the contact; NULL where there is no value."""
        return expression


@dataclass(frozen=True, slots=True)
class PlaceElsewhere(Place):
    """A value in a row of another table that belongs to the contact."""

    row: Sql = NOTHING  # `FROM … WHERE …`, from the contact's alias to the row

    def holds(self, test: Sql, reading: Reading) -> Sql:
        return exists(Sql("{row} AND {test}", row=self.row, test=test), reading)

    def lacks(self, test: Sql, reading: Reading) -> Sql:
        return exists_not(Sql("{row} AND {test}", row=self.row, test=test), reading)

    def of_value(self, expression: Sql) -> Sql:
        return Sql("(SELECT {e} {row})", e=expression, row=self.row)

    def shown(self) -> Sql:
        return Sql("(SELECT to_jsonb({e}) {row} LIMIT 1)", e=self.expression, row=self.row)


def exists(rows: Sql, reading: Reading) -> Sql:
    """There is such a row: `FROM … WHERE …`, from the contact's alias `c`. Never NULL."""
    return Sql("EXISTS (SELECT {rows}{each})", rows=rows, each=_EACH if reading.of_few else NOTHING)


def exists_not(rows: Sql, reading: Reading) -> Sql:
    """There is no such row: the exact complement, since EXISTS is never NULL; the planner makes an anti-join of it."""
    return Sql("NOT EXISTS (SELECT {rows}{each})", rows=rows, each=_EACH if reading.of_few else NOTHING)


# Keeps the planner from reading everybody who has a popular tag to answer for a few: it looks up one contact at a time.
_EACH = Sql(" OFFSET 0")
