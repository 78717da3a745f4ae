"""A contact whose custom field is such: whose country is one of USA, Canada."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from kit.card import FieldName, Path
from kit.errors import Problem
from kit.sql import FALSE, TRUE, Sql
from segments import operators, zones
from segments.asking import NEVER, compared
from segments.condition import Condition
from segments.dates import DateType, InstantType
from segments.names import PLAIN, Names
from segments.operators import Operator
from segments.places import Place, PlaceElsewhere
from segments.reading import FieldDefinition, Reading
from segments.values import AnyType, FieldOptionType, NumberType, OptionsType, TextType, ValueType
from segments.zones import Zone


@dataclass(frozen=True)
class FieldCondition(Condition):
    """The field by its name, an operator its type knows, and what its value is compared with.

    A field that is no more is one in which nobody has a value.
    """

    examples: ClassVar[list[dict[str, Any]]] = [
        {"name": "country", "op": "IS_ANY_OF", "value": ["USA", "Canada"]},
        {"name": "invoiceTotal", "op": "AT_LEAST", "value": 40},
        {"name": "birthday", "op": "ANNIVERSARY_IN_NEXT", "value": {"weeks": 1}},
        {"name": "country", "op": "IS_NOT_BLANK"},
        {"name": "birthday", "op": "IS", "value": "TODAY", "zone": "CONTACT"},
    ]

    name: FieldName
    op: Operator
    value: Any = None
    zone: Zone | None = None

    def faults(self) -> Iterator[Problem]:
        comparison = operators.COMPARISONS[self.op.name]
        yield from operators.value_faults(comparison, AnyType(), self.value)

    def problems(self, reading: Reading, path: Path) -> Iterator[Problem]:
        definition = reading.field(self.name)
        if definition is None:
            message = f"There is no custom field {self.name}."
            yield Problem("UNKNOWN_FIELD", message, (*path, self.key(), "name"))
            return
        for problem in operators.faults(place_of(definition).type, self.op, self.value):
            yield problem.below(*path, self.key())

    def compile(self, reading: Reading) -> Sql:
        return zones.reckoned(self.zone, reading, lambda by: self._compiled(by, complement=False))

    def complement(self, reading: Reading) -> Sql:
        return zones.reckoned(self.zone, reading, lambda by: self._compiled(by, complement=True))

    def finds(self, *, complement: bool = False) -> bool:
        return self.zone is not Zone.CONTACT and operators.COMPARISONS[self.op.name].negative == complement

    def _compiled(self, reading: Reading, *, complement: bool) -> Sql:
        place = self._place(reading)
        if place is None:
            return TRUE if operators.COMPARISONS[self.op.name].negative != complement else FALSE
        return operators.compiled(place, self.op, self.value, reading, complement=complement)

    def _place(self, reading: Reading) -> Place | None:
        """Where the value lies; None where there is no such field that could be asked so."""
        definition = reading.field(self.name)
        place = place_of(replace(definition, options=())) if definition else None  # also options that are no more
        return None if place is None or any(operators.faults(place.type, self.op, self.value)) else place

    def describe(self, names: Names = PLAIN) -> str:
        asked = operators.described(AnyType(), self.op, self.value) + zones.told(self.zone)
        return f"whose {names.of_field(self.name)} {asked}"

    def shown(self, reading: Reading) -> Sql:
        definition = reading.field(self.name)
        return super().shown(reading) if definition is None else place_of(definition).shown()

    def sentence(self, matches: Sql, value: Sql, names: Names = PLAIN) -> Sql:
        asked, denied = (
            operators.described(AnyType(), self.op, self.value, denied=each) + zones.told(self.zone)
            for each in (False, True)
        )
        return compared(names.of_field(self.name), asked, denied, matches, value)

    @property
    def depends_on_time(self) -> bool:
        return operators.moves(AnyType(), self.op, self.value)

    def flips(self, reading: Reading) -> Sql | None:
        place = self._place(reading)
        if place is None or not operators.moves(place.type, self.op, self.value):
            return None
        found = place
        return zones.reckoned(self.zone, reading, lambda by: operators.flips(found, self.op, self.value, by) or NEVER)


def place_of(definition: FieldDefinition) -> Place:
    """Where the values of a custom field lie."""
    type_of, expression = _TYPES[definition.type]
    row = Sql("FROM field_value v WHERE v.contact_id = c.id AND v.field_id = {id}::bigint", id=definition.id)
    return PlaceElsewhere(type_of(definition), expression, row=row)


_TYPES: dict[str, tuple[Callable[[FieldDefinition], ValueType], Sql]] = {
    **dict.fromkeys(("TEXT", "TEXTAREA", "HIDDEN"), (lambda _: TextType(), Sql("v.text_value"))),
    **dict.fromkeys(("DROPDOWN", "RADIO"), (lambda field: FieldOptionType(field.options), Sql("v.text_value"))),
    **dict.fromkeys(("LISTBOX", "CHECKBOX"), (lambda field: OptionsType(field.options), Sql("v.value"))),
    **dict.fromkeys(("NUMBER", "CURRENCY"), (lambda _: NumberType(), Sql("v.number_value"))),
    "DATE": (lambda _: DateType(), Sql("v.date_value")),
    "DATETIME": (lambda _: InstantType(), Sql("v.time_value")),
}
