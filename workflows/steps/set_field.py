"""Set, clear or count a value of the contact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from kit.card import FieldName
from kit.errors import Problem
from segments.reading import Reading
from services import field_changes, fields
from workflows.batch import Batch
from workflows.step import Step


class FieldOperation(Enum):
    """What is done to the value: put there, taken away, counted up or down, or the instant put there."""

    SET = "SET"
    CLEAR = "CLEAR"
    ADD = "ADD"
    SUBTRACT = "SUBTRACT"
    NOW = "NOW"


@dataclass(frozen=True)
class SetField(Step):
    """`name` is a custom field or one of email, phone, firstName, lastName, jobTitle, company.

    A value the contact cannot have (an address that another contact has) fails the step for this contact.
    """

    name: FieldName
    value: Any = None
    op: FieldOperation = FieldOperation.SET

    examples: ClassVar = ({"name": "jobTitle", "value": "Boss"}, {"name": "jobTitle", "op": "CLEAR"})

    async def apply(self, batch: Batch) -> None:
        outcome = await field_changes.set_field(batch.contacts, self.name, self.op.value, self.value, by=batch.caller)
        batch.settle(outcome, refused="FAILED")

    def problems(self, reading: Reading) -> Iterator[Problem]:
        field = reading.field(self.name)
        if field is None:
            if self.name in field_changes.BUILT_IN and self.op.value not in ("SET", "CLEAR"):
                yield Problem("OPERATION_NOT_ALLOWED", f"{self.name} takes CLEAR, SET.", ("op",))
            return
        allowed = {"SET", "CLEAR"}
        allowed |= {"ADD", "SUBTRACT"} if field.type in fields.NUMBERS else set()
        allowed |= {"NOW"} if field.type in ("DATE", "DATETIME") else set()
        if self.op.value not in allowed:
            yield Problem("OPERATION_NOT_ALLOWED", f"{field.name} takes {', '.join(sorted(allowed))}.", ("op",))
        elif self.op.value in ("SET", "ADD", "SUBTRACT"):
            found = fields.read(self.value, field)
            if isinstance(found, Problem):
                yield found.below("value")
            elif found is None and self.op is not FieldOperation.SET:
                yield Problem("REQUIRED", "Give a number.", ("value",))

    def describe(self) -> str:
        match self.op:
            case FieldOperation.SET:
                return f"Set {self.name} to {self.value}"[:200]
            case FieldOperation.CLEAR:
                return f"Clear {self.name}"
            case FieldOperation.NOW:
                return f"Set {self.name} to now"
            case _:
                return f"{self.op.value.capitalize()} {self.value} to {self.name}"[:200]
