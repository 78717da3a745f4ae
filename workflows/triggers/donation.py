"""The contact gave something."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from kit.card import Range
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class Donation(Trigger):
    """A gift came to be known, whenever it was made; with `minimum`, only one of so much at least."""

    minimum: Annotated[Decimal, Range(least=0)] | None = None

    examples: ClassVar = ({}, {"minimum": 50})
    fact: ClassVar[str] = "DONATION"
    label: ClassVar[Sql] = Sql("'Gave ' || concat_ws(' ', e.data ->> 'amount', e.data ->> 'currency')")
    match: ClassVar[Sql] = Sql(
        """
        (
            g.parameters -> 'donation' ->> 'minimum' IS NULL
            OR (e.data ->> 'amount')::numeric >= (g.parameters -> 'donation' ->> 'minimum')::numeric
        )
        """
    )
