"""The contact did something on a site or in an app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from kit.card import Length
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class EventRecorded(Trigger):
    """With `value`, only with this one; names and values are compared without case. What it did before it was known
    does not count."""

    name: Annotated[str, Length(100)]
    value: Annotated[str, Length(500)] | None = None

    examples: ClassVar = ({"name": "Played a video"}, {"name": "Played a video", "value": "intro"})
    fact: ClassVar[str] = "EVENT_RECORDED"
    label: ClassVar[Sql] = Sql("'Did ' || concat_ws(': ', e.data ->> 'name', left(e.data ->> 'value', 80))")
    match: ClassVar[Sql] = Sql(
        """
        e.data -> 'joined' IS NULL
        AND lower(e.data ->> 'name') = lower(g.parameters #>> '{eventRecorded,name}')
        AND (
            g.parameters #>> '{eventRecorded,value}' IS NULL
            OR lower(e.data ->> 'value') = lower(g.parameters #>> '{eventRecorded,value}')
        )
        """
    )
