"""A contact whose score is such: at least 10, less than 0, between 5 and 20."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from kit.card import ScoreId
from kit.sql import Sql, negation
from segments.asking import Asking
from segments.names import PLAIN, Names
from segments.operators import Operator
from segments.places import Place, PlaceElsewhere, exists, exists_not
from segments.reading import Reading
from segments.values import NumberType


@dataclass(frozen=True, slots=True)
class _Total(PlaceElsewhere):
    """The sum of a contact's points: 0 where nothing is written down. Nobody has a score that is no more."""

    score: int = 0

    def holds(self, test: Sql, reading: Reading) -> Sql:
        return Sql(
            """({found} OR (
                EXISTS (SELECT FROM score so CROSS JOIN (VALUES (0::bigint)) AS cs (total)
                WHERE so.id = {score}::bigint AND {test}) AND {none}
            ))""",
            found=exists(Sql("{row} AND {test}", row=self.row, test=test), reading),
            none=exists_not(self.row, reading),
            score=self.score,
            test=test,
        )

    def lacks(self, test: Sql, reading: Reading) -> Sql:
        return negation(self.holds(test, reading))

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
    def place(self) -> Place:
        return _Total(
            NumberType(),
            Sql("cs.total"),
            row=Sql("FROM contact_score cs WHERE cs.contact_id = c.id AND cs.score_id = {id}::bigint", id=self.id),
            score=self.id,
        )

    def describe(self, names: Names = PLAIN) -> str:
        return f"whose {names.of('score', self.id)} {self.asked()}"
