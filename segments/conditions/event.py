"""A contact that did something on a site or in an app: ever, so often, with such a value, then; or that did not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from kit.card import Length, Range
from kit.errors import Problem
from kit.sql import Sql, join
from segments import operators
from segments.counted import AT_LEAST_MAX, Counted
from segments.having import tested
from segments.names import PLAIN, Names
from segments.operators import Operator
from segments.places import Place
from segments.reading import Reading
from segments.values import NumberType, TextType, ValueType
from segments.when import When


@dataclass(frozen=True)
class EventCondition(Counted):
    """All parameters are about the same events; without a name, any. With a number as `value` it is asked as a number,
    else as a text; `op` is IS, if nothing is said."""

    own: ClassVar[str] = "the number of these is"
    examples: ClassVar[list[dict[str, Any]]] = [
        {"name": "Played", "is": False},
        {"name": "Played", "value": "intro", "op": "IS_NOT", "atLeast": 2},
        {"name": "Rated", "op": "AT_LEAST", "value": 4},
        {"when": {"op": "IN_LAST", "value": {"days": 30}}},
    ]

    name: Annotated[str, Length(100)] | None = None
    op: Operator | None = None
    value: Any = None
    at_least: Annotated[int, Range(least=1, most=AT_LEAST_MAX)] = 1
    when: When | None = None
    is_: bool = True

    def faults(self) -> Iterator[Problem]:
        if self.op is not None or self.value is not None:
            yield from operators.faults(self._type, self._op, self.value)

    @property
    def row(self) -> Sql:
        return Sql("te")

    def such(self, reading: Reading) -> Sql:
        tests = [tested(self.when, Sql("te.at"), reading)]
        if self.name is not None:
            tests.append(Sql("lower(te.name) = lower({name}::text)", name=self.name))
        if self.op is not None or self.value is not None:
            column = Sql("te.number_value") if isinstance(self._type, NumberType) else Sql("te.value")
            tests.append(operators.compiled(Place(self._type, column), self._op, self.value, reading))
        return Sql("FROM tracked_event te WHERE te.contact_id IS NOT NULL AND {all}", all=join(" AND ", tests))

    def describe(self, names: Names = PLAIN) -> str:
        valued = self.op is not None or self.value is not None
        return self.told(
            "who did",
            self.name or "anything",
            f"whose value {operators.described(self._type, self._op, self.value)}" if valued else "",
            f"at least {self.at_least} times" if self.at_least > 1 else "",
            self.when.describe("where that") if self.when else "",
        )

    @property
    def _op(self) -> Operator:
        return self.op or Operator.IS  # type: ignore[attr-defined]

    @property
    def _type(self) -> ValueType:
        """What the value is asked as, by what it is compared with."""
        given = self.value
        if isinstance(given, dict):
            given = given.get("from")
        if isinstance(given, list) and given:
            given = given[0]
        number = isinstance(given, int | float | Decimal) and not isinstance(given, bool)
        ordered = self.op is not None and TextType not in operators.COMPARISONS[self.op.name].types
        return NumberType() if number or ordered else TextType()
