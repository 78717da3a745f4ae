"""A contact whose built-in attribute is such: whose e-mail ends with “.fr”, whose stage is customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from segments.asking_named import AskingNamed
from segments.attributes import PLACES, WORDS, ContactAttribute
from segments.operators import Operator
from segments.zones import Zone


@dataclass(frozen=True)
class ContactCondition(AskingNamed):
    """An operator that the attribute knows, and what it is compared with."""

    places: ClassVar = PLACES
    words: ClassVar = WORDS
    examples: ClassVar[list[dict[str, Any]]] = [
        {"field": "EMAIL_DOMAIN", "op": "IS", "value": "acme.test"},
        {"field": "LIFECYCLE_STAGE", "op": "ON_OR_AFTER", "value": "CUSTOMER"},
        {"field": "CREATED_AT", "op": "IN_LAST", "value": {"days": 30}},
        {"field": "JOB_TITLE", "op": "IS_BLANK"},
        {"field": "IS_CUSTOMER", "op": "IS", "value": True},
    ]

    field: ContactAttribute
    op: Operator
    value: Any = None
    zone: Zone | None = None
