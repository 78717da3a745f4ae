"""A contact whose score is such: at least 10, less than 0, between 5 and 20."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from kit.card import ScoreId
from kit.sql import NOTHING, Sql, negation
from segments import operators
from segments.asking import Asking
from segments.names import PLAIN, Names
from segments.operator import Comparison
from segments.operators import Operator
from segments.places import Place, PlaceElsewhere, exists, exists_not
from segments.reading import Reading
from segments.values import NumberType

_NUMBER = NumberType()
# What is asked of 0, which everybody has of whom nothing is written down; a negative operator by what it denies.
_AT_ZERO: dict[str, Callable[[Any], bool]] = {
    "IS": lambda value: value == 0,
    "IS_ANY_OF": lambda values: 0 in values,
    "IS_NOT_BLANK": lambda _: True,
    "LESS_THAN": lambda value: value > 0,
    "AT_MOST": lambda value: value >= 0,
    "MORE_THAN": lambda value: value < 0,
    "AT_LEAST": lambda value: value <= 0,
    "BETWEEN": lambda ends: ends[0] <= 0 <= ends[1],
}


@dataclass(frozen=True, slots=True)
class _Total(PlaceElsewhere):
    """The sum of a contact's points. Nobody has a score that is no more.

    So that it is a plain join: where 0 does not meet a test, who meets it has a row; else who does not has one.
    """

    there: Sql = NOTHING
    at_zero: bool = False

    def holds(self, test: Sql, reading: Reading) -> Sql:
        if not self.at_zero:
            return exists(self._rows(test), reading)
        return Sql("({there} AND {none})", there=self.there, none=exists_not(self._rows(negation(test)), reading))

    def lacks(self, test: Sql, reading: Reading) -> Sql:
        if not self.at_zero:
            return exists_not(self._rows(test), reading)
        some = exists(self._rows(negation(test)), reading)
        return Sql("({gone} OR {some})", gone=negation(self.there), some=some)

    def _rows(self, test: Sql) -> Sql:
        return Sql("{row} AND {test}", row=self.row, test=test)

    def shown(self) -> Sql:
        return Sql("to_jsonb(coalesce((SELECT {e} {row}), 0))", e=self.expression, row=self.row)


@dataclass(frozen=True)
class ScoreCondition(Asking):
    """An operator that numbers know. Everybody begins at 0."""

    examples: ClassVar[list[dict[str, Any]]] = [
        {"id": "score_1", "op": "AT_LEAST", "value": 10},
        {"id": "score_1", "op": "BETWEEN", "value": {"from": -5, "to": 5}},
    ]

    id: ScoreId
    op: Operator
    value: Any = None

    @property
    def place(self) -> _Total:
        return _Total(
            _NUMBER,
            Sql("cs.total"),
            row=Sql("FROM contact_score cs WHERE cs.contact_id = c.id AND cs.score_id = {id}::bigint", id=self.id),
            there=Sql("EXISTS (SELECT FROM score so WHERE so.id = {id}::bigint)", id=self.id),
        )

    def compile(self, reading: Reading) -> Sql:
        return operators.compiled(self._judged(), self.op, self.value, reading)

    def complement(self, reading: Reading) -> Sql:
        return operators.compiled(self._judged(), self.op, self.value, reading, complement=True)

    def _judged(self) -> Place:
        """The place, which knows whether the operator, or what it denies, holds of 0."""
        comparison = operators.COMPARISONS[self.op.name]
        names = [each.name() for each in type(comparison).__mro__ if issubclass(each, Comparison)]
        at_zero = next(_AT_ZERO[name] for name in names if name in _AT_ZERO)
        return replace(self.place, at_zero=at_zero(comparison.read(_NUMBER, self.value, ())))

    def describe(self, names: Names = PLAIN) -> str:
        return f"whose {names.of('score', self.id)} {self.asked()}"
