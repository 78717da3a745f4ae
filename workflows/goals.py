"""Goals of an automation: who has met one, and what lies on the way to it (domain 2.6)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

from kit import db
from kit.sql import Sql, ids, join, name
from segments.reading import Reading
from workflows.batch import Run
from workflows.graph import VERSIONS_CACHED_MAX, Graph, Place
from workflows.steps.goal import Goal, GoalPosition


class Goals:
    """The goals of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._before: dict[str, tuple[str, ...]] = {}
        self._lines: dict[tuple[str, str], tuple[str, ...]] = {}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        return tuple(key for key, place in self.graph.places.items() if isinstance(place.card, Goal))

    def before(self, key: str) -> tuple[str, ...]:
        """The goals that who stands on a step may jump to: those below first, in the order of the steps."""
        if key not in self._before:
            below = self.graph.reached(key)
            order = list(self.graph.places)
            here = order.index(key)
            found = [each for each in self.keys if each != key and (each in below or self._anywhere(each))]
            found.sort(key=lambda each: (each not in below, order.index(each) < here, order.index(each)))
            self._before[key] = tuple(found)
        return self._before[key]

    def _anywhere(self, key: str) -> bool:
        return self.card(key).position is GoalPosition.ANYWHERE

    def card(self, key: str) -> Goal:
        card = self.graph.places[key].card
        assert isinstance(card, Goal)
        return card

    def line(self, start: str, goal: str) -> tuple[str, ...]:
        """The steps between, in order, through which every way from one to the other leads: the direct line. Those of
        branches, which a contact may or may not have come through, are not on it."""
        if (start, goal) not in self._lines:
            way = self._shortest(start, goal)
            self._lines[start, goal] = tuple(
                key for key in way[1:-1] if goal not in self.graph.reached(start, avoiding=key)
            )
        return self._lines[start, goal]

    def _shortest(self, start: str, goal: str) -> list[str]:
        came: dict[str, str] = {}
        waiting = deque([start])
        while waiting and goal not in came:
            here = waiting.popleft()
            for target, _ in self.graph.places[here].ways():
                if target not in came and target != start:
                    came[target] = here
                    waiting.append(target)
        if goal not in came:
            return []
        way = [goal]
        while way[-1] != start:
            way.append(came[way[-1]])
        return way[::-1]

    def open(self, place: Place, runs: Sequence[Run]) -> dict[tuple[str, ...], list[Run]]:
        """The runs on a step by the goals that each of them can still meet."""
        found: dict[tuple[str, ...], list[Run]] = defaultdict(list)
        for run in runs:
            found[tuple(each for each in self.before(place.key) if each not in run.passed)].append(run)
        found.pop((), None)
        return found

    async def met(self, goals: Sequence[str], runs: Sequence[Run], reading: Reading) -> dict[Run, str]:
        """The first of the goals that each run's contact has met; in one statement. Who has met none is left out."""
        few = replace(reading, of_few=True)
        columns = (
            Sql("({rule}) AS {goal}", rule=self.card(key).where.compile(few), goal=name(str(number)))
            for number, key in enumerate(goals)
        )
        rows = await db.rows(
            Sql(
                """
                SELECT c.id, {columns}
                FROM contact c
                WHERE c.id IN (SELECT candidate.id FROM ({contacts}) AS candidate)
                """,
                columns=join(", ", columns),
                contacts=ids([run.contact_id for run in runs]),
            )
        )
        first = {row["id"]: next((key for number, key in enumerate(goals) if row[str(number)]), None) for row in rows}
        return {run: key for run in runs if (key := first.get(run.contact_id)) is not None}


@lru_cache(VERSIONS_CACHED_MAX)
def of(graph: Graph) -> Goals | None:
    """The goals of a graph; None where it has none."""
    found = Goals(graph)
    return found if found.keys else None
