"""A customer whose purchases are such: who spent at least 45, whose last order is in 2025."""

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

_OF_CUSTOMERS = Sql("FROM contact_total tt WHERE tt.contact_id = c.id AND tt.order_count > 0")


class PurchaseAttribute(Enum):
    """What complete orders add up to. Nothing of this is known of a contact that never ordered."""

    TOTAL_SPENT = "TOTAL_SPENT"
    ORDER_COUNT = "ORDER_COUNT"
    FIRST_ORDER_AT = "FIRST_ORDER_AT"
    LAST_ORDER_AT = "LAST_ORDER_AT"


_PLACES: dict[PurchaseAttribute, Place] = {
    PurchaseAttribute.TOTAL_SPENT: PlaceElsewhere(NumberType(), Sql("tt.total_spent"), row=_OF_CUSTOMERS),
    PurchaseAttribute.ORDER_COUNT: PlaceElsewhere(NumberType(), Sql("tt.order_count"), row=_OF_CUSTOMERS),
    PurchaseAttribute.FIRST_ORDER_AT: PlaceElsewhere(InstantType(), Sql("tt.first_order_at"), row=_OF_CUSTOMERS),
    PurchaseAttribute.LAST_ORDER_AT: PlaceElsewhere(InstantType(), Sql("tt.last_order_at"), row=_OF_CUSTOMERS),
}


@dataclass(frozen=True)
class PurchaseCondition(AskingNamed):
    """An operator that numbers or days know. Who never ordered is a match of negative ones only."""

    places: ClassVar = _PLACES
    words: ClassVar = {PurchaseAttribute.ORDER_COUNT: "number of orders"}
    examples: ClassVar[list[dict[str, Any]]] = [
        {"field": "TOTAL_SPENT", "op": "AT_LEAST", "value": 45},
        {"field": "ORDER_COUNT", "op": "BETWEEN", "value": {"from": 2, "to": 5}},
        {"field": "LAST_ORDER_AT", "op": "BETWEEN", "value": {"from": "2025-01-01", "to": "2025-12-31"}},
        {"field": "FIRST_ORDER_AT", "op": "ON_OR_BEFORE", "value": "2025-06-30"},
    ]

    field: PurchaseAttribute
    op: Operator
    value: Any = None
    zone: Zone | None = None
