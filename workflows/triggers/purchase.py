"""The contact bought something."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from kit.card import Range
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class Purchase(Trigger):
    """A complete order came to be known, whenever it was placed; with `minimum`, only one of so much in all."""

    minimum: Annotated[Decimal, Range(least=0)] | None = None

    examples: ClassVar = ({}, {"minimum": 50})
    fact: ClassVar[str] = "PURCHASE"
    label: ClassVar[Sql] = Sql("'Bought for ' || concat_ws(' ', e.data ->> 'total', e.data ->> 'currency')")
    match: ClassVar[Sql] = Sql(
        """
        (
            g.parameters -> 'purchase' ->> 'minimum' IS NULL
            OR (e.data ->> 'total')::numeric >= (g.parameters -> 'purchase' ->> 'minimum')::numeric
        )
        """
    )
