"""A score of the contact came into a range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from kit.card import ScoreId
from kit.errors import Problem
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class ScoreRange:
    """Both included."""

    from_: int
    to: int

    def faults(self) -> Iterator[Problem]:
        if self.from_ > self.to:
            yield Problem("INVALID_VALUE", "The first must not be more than the second.", ("from",))


_INSIDE = """(
    {total} > (g.parameters #>> '{scoreChanged,above}')::numeric
    OR {total} < (g.parameters #>> '{scoreChanged,below}')::numeric
    OR {total} BETWEEN (g.parameters #>> '{scoreChanged,between,from}')::numeric
        AND (g.parameters #>> '{scoreChanged,between,to}')::numeric
) IS TRUE"""


@dataclass(frozen=True)
class ScoreChanged(Trigger):
    """It crossed into being `above` or `below` a number, or `between` two, of which exactly one is given; changes
    inside the range do not count. Everybody begins at 0."""

    score_id: ScoreId
    above: int | None = None
    below: int | None = None
    between: ScoreRange | None = None

    examples: ClassVar = (
        {"scoreId": "score_1", "above": 10},
        {"scoreId": "score_1", "below": 0},
        {"scoreId": "score_1", "between": {"from": 5, "to": 10}},
    )
    fact: ClassVar[str] = "SCORE_CHANGED"
    label: ClassVar[Sql] = Sql("(e.data ->> 'score') || ' came to ' || (e.data ->> 'to')")
    match: ClassVar[Sql] = Sql(
        "({after} AND NOT {before})",
        after=Sql(_INSIDE, total=Sql("(e.data ->> 'to')::numeric")),
        before=Sql(_INSIDE, total=Sql("(e.data ->> 'from')::numeric")),
    )

    def faults(self) -> Iterator[Problem]:
        if sum(each is not None for each in (self.above, self.below, self.between)) != 1:
            yield Problem("REQUIRED", "Give exactly one of above, below, between.")

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        return self.score_id
