"""The contact came into another lifecycle stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.sql import Sql
from services.record import LifecycleStage
from workflows.trigger import Trigger


@dataclass(frozen=True)
class LifecycleChanged(Trigger):
    """From one stage to another, forward or back; `from` and `to` say which count, without them any."""

    from_: LifecycleStage | None = None
    to: LifecycleStage | None = None

    examples: ClassVar = ({"to": "CUSTOMER"}, {"from": "LEAD", "to": "MQL"}, {})
    fact: ClassVar[str] = "LIFECYCLE_CHANGED"
    label: ClassVar[Sql] = Sql("'Became ' || (e.data ->> 'to')")
    match: ClassVar[Sql] = Sql(
        """
        coalesce(g.parameters -> 'lifecycleChanged' ->> 'from', e.data ->> 'from') = e.data ->> 'from'
        AND coalesce(g.parameters -> 'lifecycleChanged' ->> 'to', e.data ->> 'to') = e.data ->> 'to'
        """
    )
