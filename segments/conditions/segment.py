"""A contact that is in a segment, or is not, as the segment is at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from kit.card import SegmentId
from kit.sql import FALSE, TRUE, Sql
from segments import rule
from segments.condition import Condition
from segments.names import PLAIN, Names
from segments.reading import Reading


@dataclass(frozen=True)
class SegmentCondition(Condition):
    """The condition that is saved there. A segment that is no more is one in which nobody is."""

    examples: ClassVar[list[dict[str, Any]]] = [{"id": "segment_1"}, {"id": "segment_1", "is": False}]

    id: SegmentId
    is_: bool = True

    def compile(self, reading: Reading) -> Sql:
        return self._compiled(reading, self.is_)

    def complement(self, reading: Reading) -> Sql:
        return self._compiled(reading, not self.is_)

    def _compiled(self, reading: Reading, inside: bool) -> Sql:
        saved = rule.saved(reading.segments.get(self.id))
        if saved is None:
            return FALSE if inside else TRUE
        return saved.compile(reading) if inside else saved.complement(reading)

    def describe(self, names: Names = PLAIN) -> str:
        return f"{'in' if self.is_ else 'not in'} {names.of('segment', self.id)}"

    @property
    def depends_on_time(self) -> bool:
        return True  # the segment may, now or after it is changed

    def flips(self, reading: Reading) -> Sql | None:
        saved = rule.saved(reading.segments.get(self.id))
        return None if saved is None else saved.flips(reading)
