"""Rows of a contact, and that there are at least so many of them: visits, events, e-mails."""

from __future__ import annotations

from abc import abstractmethod

from kit.sql import Sql, negation
from segments.having import Having
from segments.reading import Reading

AT_LEAST_MAX = 1_000


class Counted(Having):
    """A `Having` with a parameter `at_least`. A card says which rows they are by `such`, whosever they are."""

    at_least: int

    @property
    @abstractmethod
    def row(self) -> Sql:
        """The alias of its rows, which have a contact_id."""

    @abstractmethod
    def such(self, reading: Reading) -> Sql:
        """`FROM … WHERE …`: the rows of anybody that meet everything."""

    def rows(self, reading: Reading) -> Sql:
        return Sql("{such} AND {row}.contact_id = c.id", such=self.such(reading), row=self.row)

    @property
    def counts(self) -> bool:
        return self.at_least > 1

    def compile(self, reading: Reading) -> Sql:
        if self.at_least == 1:
            return super().compile(reading)
        return self._often(reading) if self.is_ else negation(self._often(reading))

    def complement(self, reading: Reading) -> Sql:
        if self.at_least == 1:
            return super().complement(reading)
        return negation(self._often(reading)) if self.is_ else self._often(reading)

    def _often(self, reading: Reading) -> Sql:
        """Counted for one contact after the other where they are few, else for all in one go."""
        if reading.of_few:
            counted = "((SELECT count(*) FROM (SELECT {rows} LIMIT {least}::integer) AS enough) >= {least}::integer)"
            return Sql(counted, rows=self.rows(reading), least=self.at_least)
        return Sql(
            "(c.id IN (SELECT {row}.contact_id {such} GROUP BY {row}.contact_id HAVING count(*) >= {least}::integer))",
            row=self.row,
            such=self.such(reading),
            least=self.at_least,
        )
