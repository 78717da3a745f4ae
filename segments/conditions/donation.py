"""A donor whose gifts are such: who gave at least 100 in all, whose last gift is longer ago than a year."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from kit.sql import Sql
from segments.asking import Asking
from segments.dates import InstantType
from segments.names import PLAIN, Names
from segments.operators import Operator
from segments.places import Place, PlaceElsewhere
from segments.values import NumberType
from segments.zones import Zone

_OF_DONORS = Sql("FROM contact_total tt WHERE tt.contact_id = c.id AND tt.gift_count > 0")
_PLACES: dict[str, Place] = {
    "TOTAL_GIVEN": PlaceElsewhere(NumberType(), Sql("tt.total_given"), row=_OF_DONORS),
    "GIFT_COUNT": PlaceElsewhere(NumberType(), Sql("tt.gift_count"), row=_OF_DONORS),
    "FIRST_GIFT_AT": PlaceElsewhere(InstantType(), Sql("tt.first_gift_at"), row=_OF_DONORS),
    "LAST_GIFT_AT": PlaceElsewhere(InstantType(), Sql("tt.last_gift_at"), row=_OF_DONORS),
}


class DonationAttribute(Enum):
    """What gifts add up to. Nothing of this is known of a contact that never gave."""

    TOTAL_GIVEN = "TOTAL_GIVEN"
    GIFT_COUNT = "GIFT_COUNT"
    FIRST_GIFT_AT = "FIRST_GIFT_AT"
    LAST_GIFT_AT = "LAST_GIFT_AT"


@dataclass(frozen=True)
class DonationCondition(Asking):
    """An operator that numbers or days know. Who never gave is a match of negative ones only."""

    examples: ClassVar[list[dict[str, Any]]] = [
        {"field": "TOTAL_GIVEN", "op": "AT_LEAST", "value": 100},
        {"field": "GIFT_COUNT", "op": "AT_MOST", "value": 3},
        {"field": "LAST_GIFT_AT", "op": "MORE_THAN_AGO", "value": {"years": 1}},
    ]

    field: DonationAttribute
    op: Operator
    value: Any = None
    zone: Zone | None = None

    @property
    def place(self) -> Place:
        return _PLACES[self.field.value]

    def describe(self, names: Names = PLAIN) -> str:
        return f"whose {_WORDS[self.field.value]} {self.asked()}"


_WORDS = {
    "TOTAL_GIVEN": "total given",
    "GIFT_COUNT": "number of gifts",
    "FIRST_GIFT_AT": "first gift",
    "LAST_GIFT_AT": "last gift",
}
