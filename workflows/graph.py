"""The graph of an automation as a designer draws it: which step leads where, and what is wrong with it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any

import orjson

from kit import card, db
from kit.card import Name, Reads, StepKey
from kit.errors import Invalid, Problem, not_found
from kit.shape import camel
from kit.sql import Sql
from workflows import step, unreadable
from workflows.step import Step

STEPS_MAX = 500
VERSIONS_CACHED_MAX = 1_000


@dataclass(frozen=True)
class DrawnBranch:
    """A way out of a step: its name and the id of the step it leads to; without one the automation ends there."""

    name: Name
    next: StepKey | None = None


@dataclass(frozen=True)
class DrawnStep:
    """A step as its designer drew it. `next` is the id of the step that follows; without one the automation ends."""

    id: StepKey
    do: Annotated[Step, Reads(step.read, "StepActionInput")]
    label: Name | None = None
    next: StepKey | None = None
    branches: list[DrawnBranch] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A step in its graph; `step_id` is the number its visits are written with."""

    key: str
    label: str
    card: Step
    next: str | None
    branches: dict[str, str | None]
    step_id: int = 0

    def after(self, branch: str | None = None) -> str | None:
        """The step that follows along a branch; None is the end. A branch that is not drawn follows `next`."""
        return self.next if branch is None else self.branches.get(branch, self.next)

    def ways(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every step this one leads to, with the path to where that was said."""
        if self.card.goes_on and self.next is not None:
            yield self.next, ("next",)
        for number, target in enumerate(self.branches.values()):
            if target is not None:
                yield target, ("branches", str(number), "next")
        jump = self.card.jump()
        if jump is not None:
            yield jump, ("do", camel(self.card.kind), "step")


@dataclass(frozen=True, eq=False)
class Graph:
    """All places by their ids, the entry first."""

    places: dict[str, Place]

    @property
    def first(self) -> str:
        return next(iter(self.places))

    @cached_property
    def remembering(self) -> tuple[str, ...]:
        """The steps that must be told that a run was there before."""
        return tuple(key for key, place in self.places.items() if place.card.remembers())

    def reached(self, start: str, *, avoiding: str | None = None) -> set[str]:
        """Every step that can come after `start`, by ways that do not lead through `avoiding`."""
        return _reached(self, start, resting=True, avoiding=avoiding)


def read(given: Any) -> tuple[Graph, list[Problem]]:
    """The graph of a list of steps in the API's JSON, and everything wrong with it, with paths below the list."""
    if not isinstance(given, list) or not given:
        return Graph({}), [Problem("NO_STEPS", "An automation needs at least one step.")]
    if len(given) > STEPS_MAX:
        return Graph({}), [Problem("TOO_MANY_STEPS", f"An automation has at most {STEPS_MAX} steps.")]
    problems: list[Problem] = []
    places: dict[str, Place] = {}
    order: list[Place] = []
    for number, each in enumerate(given):
        try:
            drawn = card.read(DrawnStep, each, (str(number),))
        except Invalid as refusal:
            problems.extend(_named(problem, each) for problem in refusal.problems)
            continue
        place = Place(
            key=drawn.id,
            label=drawn.label or drawn.do.describe(),
            card=drawn.do,
            next=drawn.next,
            branches={branch.name: branch.next for branch in drawn.branches},
        )
        problems += _branch_problems(drawn, (str(number),))
        if drawn.id in places:
            problems.append(Problem("DUPLICATE_STEP", f"There are two steps {drawn.id}.", (str(number), "id")))
        places.setdefault(drawn.id, place)
        order.append(place)
    graph = Graph(places)
    if len(order) == len(given):
        problems += _way_problems(graph, order)
    return graph, problems


def stored(given: list[dict[str, Any]]) -> Graph:
    """The graph of steps that were stored, by whatever release. One that cannot be read keeps its place and its ways;
    who comes there rests (workflows/unreadable.py)."""
    places: dict[str, Place] = {}
    for each in given:
        try:
            card_ = card.read(DrawnStep, each).do
        except Invalid:
            card_ = unreadable.standing_for(each.get("do"))
        places[each["id"]] = Place(
            key=each["id"],
            label=each.get("label") or card_.describe(),
            card=card_,
            next=each.get("next"),
            branches={branch["name"]: branch.get("next") for branch in each.get("branches") or ()},
        )
    return Graph(places)


def drawing(given: list[dict[str, Any]], graph: Graph) -> dict[str, Any]:
    """What is stored of steps that `read` found nothing wrong with: as they were drawn, each with a label."""
    return {
        "steps": [
            {
                "id": place.key,
                "label": place.label,
                "do": each["do"],
                "next": place.next,
                "branches": [{"name": name, "next": target} for name, target in place.branches.items()],
            }
            for place, each in zip(graph.places.values(), given, strict=True)
        ]
    }


def _named(problem: Problem, given: Any) -> Problem:
    """The same problem, its message naming the step."""
    key = given.get("id") if isinstance(given, dict) else None
    return replace(problem, message=f"Step {key[:60]}: {problem.message}") if isinstance(key, str) else problem


def _branch_problems(drawn: DrawnStep, path: tuple[str, ...]) -> Iterator[Problem]:
    known = drawn.do.ways_out()
    names = [branch.name for branch in drawn.branches]
    for number, name in enumerate(names):
        where = (*path, "branches", str(number), "name")
        if name not in known:
            says = f"has the branches {' and '.join(known)}" if known else "has no branches"
            yield Problem("WRONG_BRANCH", f"Step {drawn.id} {says}, not {name}.", where)
        elif name in names[:number]:
            yield Problem("WRONG_BRANCH", f"Step {drawn.id} has its branch {name} twice.", where)
    for name in known:
        if name not in names and drawn.next is None:
            yield Problem("MISSING_BRANCH", f"Step {drawn.id} does not say where {name} leads.", (*path, "branches"))


def _way_problems(graph: Graph, order: list[Place]) -> Iterator[Problem]:
    """Ways that lead nowhere, steps nobody comes to, and circles in which nobody rests."""
    for number, place in enumerate(order):
        for target, path in place.ways():
            if target not in graph.places:
                message = f"Step {place.key} leads to {target}, which does not exist."
                yield Problem("UNKNOWN_STEP", message, (str(number), *path))
    reached = _reached(graph, graph.first, resting=True)
    doubled = {id(place) for place in order if graph.places[place.key] is not place}
    for number, place in enumerate(order):
        if place.key not in reached and number and id(place) not in doubled:
            yield Problem("UNREACHABLE_STEP", f"No step leads to {place.key}.", (str(number),))
    told: set[str] = set()
    after = {key: _reached(graph, key, resting=False) for key, place in graph.places.items() if not place.card.rests()}
    for number, place in enumerate(order):
        if place.key not in told and place.key in after.get(place.key, ()):
            circle = [key for key in after[place.key] if place.key in after.get(key, ())]
            told.update(circle)
            steps = ", ".join(key for key in graph.places if key in circle)
            yield Problem("LOOP_WITHOUT_WAIT", f"The steps {steps} go in a circle without a wait.", (str(number),))


def _reached(graph: Graph, start: str, *, resting: bool, avoiding: str | None = None) -> set[str]:
    """Every step that can come after `start`, without going on from waits unless `resting`."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        place = graph.places[waiting.pop()]
        for target, _ in place.ways():
            known = graph.places.get(target)
            if known is None or target in found or target == avoiding:
                continue
            if resting or not known.card.rests():
                found.add(target)
                waiting.append(target)
    return found


def next_known(live: Graph, old: Graph, key: str) -> str | None:
    """The first step after this one, in the version a run came by, that the live version still has; None is the end.

    KeyError: that version has no such step.
    """
    seen: set[str] = set()
    onward: str | None = key
    while onward is not None and onward not in live.places and onward not in seen:
        seen.add(onward)
        place = old.places[onward]
        onward = place.card.jump() or place.after()
    return None if onward in seen else onward


# ------------------------------------------------------------------------------------------------------------ versions

_versions: OrderedDict[int, Graph] = OrderedDict()


async def load(version_id: int) -> Graph:
    """The graph of a version, with the numbers of its steps; versions never change, so it is read once a process."""
    if version_id in _versions:
        _versions.move_to_end(version_id)
        return _versions[version_id]
    row = await db.row(
        Sql(
            """
            SELECT
                av.graph,
                (
                    SELECT jsonb_agg(jsonb_build_array(s.key, s.kind, s.label, s.id))
                    FROM automation_step s
                    WHERE s.automation_id = av.automation_id
                ) AS steps
            FROM automation_version av
            WHERE av.id = {version_id}::bigint
            """,
            version_id=version_id,
        )
    )
    if row is None:
        raise not_found("version", "versionId")
    graph = stored(orjson.loads(row["graph"])["steps"])
    numbers = {(key, kind, label): number for key, kind, label, number in orjson.loads(row["steps"] or "[]")}
    places = {
        key: replace(place, step_id=numbers[key, place.card.word(), place.label]) for key, place in graph.places.items()
    }
    _versions[version_id] = Graph(places)
    while len(_versions) > VERSIONS_CACHED_MAX:
        _versions.popitem(last=False)
    return _versions[version_id]
