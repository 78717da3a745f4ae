"""The contact left a segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import SegmentId
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class SegmentLeft(Trigger):
    """By a change, by time alone, or because the segment says something else now; not because it was deleted."""

    segment_id: SegmentId

    examples: ClassVar = ({"segmentId": "segment_1"},)
    fact: ClassVar[str] = "SEGMENT_LEFT"
    label: ClassVar[Sql] = Sql("'Left ' || (e.data ->> 'segment')")

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        return self.segment_id
