"""A contact whose built-in attribute is such: whose e-mail ends with “.fr”, whose stage is customer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from kit.card import Path
from kit.errors import Problem
from kit.sql import Sql
from segments import operators
from segments.attributes import ContactAttribute
from segments.condition import Condition
from segments.operators import Operator
from segments.reading import Reading


@dataclass(frozen=True)
class ContactCondition(Condition):
    """An operator that the attribute knows, and what it is compared with."""

    examples: ClassVar[list[dict[str, Any]]] = [
        {"field": "EMAIL_DOMAIN", "op": "IS", "value": "acme.test"},
        {"field": "LIFECYCLE_STAGE", "op": "ON_OR_AFTER", "value": "CUSTOMER"},
        {"field": "CREATED_AT", "op": "IN_LAST", "value": {"days": 30}},
        {"field": "JOB_TITLE", "op": "IS_BLANK"},
    ]

    field: ContactAttribute
    op: Operator
    value: Any = None

    def faults(self) -> Iterator[Problem]:
        yield from operators.faults(self.field.place.type, self.op, self.value)

    def problems(self, reading: Reading, path: Path) -> Iterator[Problem]:
        for problem in operators.unfit(self.field.place.type, self.op, self.value, reading):
            yield problem.below(*path, self.key())

    def compile(self, reading: Reading) -> Sql:
        return operators.compiled(self.field.place, self.op, self.value, reading)

    def complement(self, reading: Reading) -> Sql:
        return operators.compiled(self.field.place, self.op, self.value, reading, complement=True)

    def describe(self) -> str:
        return f"whose {self.field.words} {operators.described(self.field.place.type, self.op, self.value)}"

    @property
    def depends_on_time(self) -> bool:
        return operators.moves(self.field.place.type, self.op, self.value)
