"""A contact that is in such a place: in France, in the north of it, in Lille."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from kit.errors import Problem
from kit.sql import Sql
from segments.asking_named import AskingNamed
from segments.operators import Operator
from segments.places import Place
from segments.values import OptionType, TextType

_CODE = re.compile("[A-Z]{2}")
_TEXT = TextType()


class LocationField(Enum):
    """A part of where a contact is."""

    COUNTRY = "COUNTRY"
    REGION = "REGION"
    CITY = "CITY"
    POSTAL_CODE = "POSTAL_CODE"
    TIMEZONE = "TIMEZONE"


_PLACES: dict[LocationField, Place] = {
    LocationField.COUNTRY: Place(OptionType(), Sql("c.country")),
    LocationField.REGION: Place(_TEXT, Sql("c.region")),
    LocationField.CITY: Place(_TEXT, Sql("c.city")),
    LocationField.POSTAL_CODE: Place(_TEXT, Sql("c.postal_code")),
    LocationField.TIMEZONE: Place(_TEXT, Sql("c.timezone")),
}


@dataclass(frozen=True)
class LocationCondition(AskingNamed):
    """As somebody told it of the contact, else as it was at its latest visit. Countries by their two letters."""

    places: ClassVar = _PLACES
    words: ClassVar = {LocationField.TIMEZONE: "time zone"}
    examples: ClassVar[list[dict[str, Any]]] = [
        {"field": "COUNTRY", "op": "IS_ANY_OF", "value": ["FR", "BE"]},
        {"field": "CITY", "op": "IS_NOT", "value": "Paris"},
        {"field": "TIMEZONE", "op": "IS_BLANK"},
    ]

    field: LocationField
    op: Operator
    value: Any = None

    def faults(self) -> Iterator[Problem]:
        yield from super().faults()
        if self.field is LocationField.COUNTRY:
            given = self.value if isinstance(self.value, list) else [self.value]
            if any(isinstance(each, str) and not _CODE.fullmatch(each) for each in given):
                yield Problem("INVALID_VALUE", "Give a country by its two letters, such as FR.", ("value",))
