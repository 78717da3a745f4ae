"""A stored step that this release cannot read: whoever comes to it rests there, for all to see, until it can."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from workflows.step import Step

if TYPE_CHECKING:
    from workflows.batch import Batch

REASON = "STEP_UNREADABLE"
LOOK_AGAIN = timedelta(hours=1)  # by then another release may be at work
_CAPITAL = re.compile(r"(?<!^)([A-Z])")


@dataclass(frozen=True)
class Unreadable(Step):
    """Stands in the graph for what the designer drew. Nobody goes on by themselves: what the step would have done, and
    which way it would have led, is not known. A person ends the rest (`skipWait`), or draws the step anew."""

    examples: ClassVar = ()

    async def apply(self, batch: Batch) -> None:
        batch.hold(REASON, until=batch.now + LOOK_AGAIN)

    def describe(self) -> str:
        return "A step that cannot be read"

    def rests(self) -> bool:
        return True


def standing_for(do: Any) -> Step:
    """A step of the kind that stands in `{"sendFax": {…}}`, so that its visits are known by it."""
    given = next(iter(do), "") if isinstance(do, dict) else ""
    kind = _CAPITAL.sub(r"_\1", str(given)).lower()
    made: type[Unreadable] = type("Unreadable", (Unreadable,), {"kind": kind})
    return made()
