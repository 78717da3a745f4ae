"""A donor whose gifts are such: who gave at least 100 in all, whose last gift is longer ago than a year."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from kit.sql import Sql
from segments.asking_named import AskingNamed
from segments.dates import InstantType
from segments.operators import Operator
from segments.places import Place, PlaceElsewhere
from segments.values import NumberType
from segments.zones import Zone

_OF_DONORS = Sql("FROM contact_total tt WHERE tt.contact_id = c.id AND tt.gift_count > 0")


class DonationAttribute(Enum):
    """What gifts add up to. Nothing of this is known of a contact that never gave."""

    TOTAL_GIVEN = "TOTAL_GIVEN"
    GIFT_COUNT = "GIFT_COUNT"
    FIRST_GIFT_AT = "FIRST_GIFT_AT"
    LAST_GIFT_AT = "LAST_GIFT_AT"


_PLACES: dict[DonationAttribute, Place] = {
    DonationAttribute.TOTAL_GIVEN: PlaceElsewhere(NumberType(), Sql("tt.total_given"), row=_OF_DONORS),
    DonationAttribute.GIFT_COUNT: PlaceElsewhere(NumberType(), Sql("tt.gift_count"), row=_OF_DONORS),
    DonationAttribute.FIRST_GIFT_AT: PlaceElsewhere(InstantType(), Sql("tt.first_gift_at"), row=_OF_DONORS),
    DonationAttribute.LAST_GIFT_AT: PlaceElsewhere(InstantType(), Sql("tt.last_gift_at"), row=_OF_DONORS),
}


@dataclass(frozen=True)
class DonationCondition(AskingNamed):
    """An operator that numbers or days know. Who never gave is a match of negative ones only."""

    places: ClassVar = _PLACES
    words: ClassVar = {DonationAttribute.GIFT_COUNT: "number of gifts"}
    examples: ClassVar[list[dict[str, Any]]] = [
        {"field": "TOTAL_GIVEN", "op": "AT_LEAST", "value": 100},
        {"field": "GIFT_COUNT", "op": "AT_MOST", "value": 3},
        {"field": "LAST_GIFT_AT", "op": "MORE_THAN_AGO", "value": {"years": 1}},
    ]

    field: DonationAttribute
    op: Operator
    value: Any = None
    zone: Zone | None = None
