"""What a designer handed in, checked as a whole: triggers and steps, and whether what they name is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from kit import card, db
from kit.card import Path, Reference
from kit.errors import Invalid, Problem, Problems
from kit.shape import camel
from kit.sql import Sql
from segments import rule
from segments.reading import Reading
from services import tags
from services.caller import Caller
from services.references import unknown
from workflows import graph
from workflows.graph import Graph
from workflows.step import Step
from workflows.steps.add_tag import AddTag
from workflows.steps.remove_tag import RemoveTag
from workflows.trigger import TRIGGERS_MAX, DrawnTrigger, Trigger

BUILT_IN_FIELDS = ("email", "phone", "firstName", "lastName", "jobTitle", "company")


@dataclass(frozen=True, slots=True)
class TriggerDrawing:
    """A trigger that was read, and the JSON it was read from."""

    card: Trigger
    drawn: DrawnTrigger
    given: dict[str, Any]

    def row(self, names: Mapping[tuple[str, str], int]) -> dict[str, Any]:
        """What its row in the table says."""
        where = self.given.get("where")
        return {
            "kind": self.card.word(),
            "subject": self.card.subject(dict(names)),
            "parameters": db.jsonb(self.given["on"]),
            "condition": None if where is None else db.jsonb(where),
            "runs": self.drawn.runs.value,
            "enabled": self.drawn.enabled,
        }


@dataclass(slots=True)
class Drawing:
    """Triggers and steps without a fault. `graph` is None where no steps were handed in."""

    triggers: list[TriggerDrawing] = field(default_factory=list)
    graph: Graph | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)

    def stored_graph(self) -> dict[str, Any]:
        assert self.graph is not None
        return graph.drawing(self.steps, self.graph)

    def tags_of_steps(self) -> list[str]:
        """The tags that contacts are given or lose here: made when the automation is saved, so that they can be chosen
        (and what is missing later was deleted)."""
        places = self.graph.places.values() if self.graph else ()
        return [place.card.tag for place in places if isinstance(place.card, AddTag | RemoveTag)]

    async def names_of_triggers(self, *, by: Caller) -> dict[tuple[str, str], int]:
        """The number of every tag (made if unknown) and custom field that triggers name."""
        named = [each for trigger in self.triggers for each in card.references(trigger.card)]
        tag_names = [str(each.key) for each in named if each.kind == "tag"]
        found: dict[tuple[str, str], int] = {}
        if tag_names:
            found = {("tag", name): number for name, number in (await tags.ensure(tag_names, by=by)).items()}
        if any(each.kind == "field" for each in named):
            fields = (await rule.reading(by.now)).fields
            for each in named:
                if each.kind == "field" and str(each.key).lower() in fields:
                    found["field", str(each.key)] = fields[str(each.key).lower()].id
        return found


async def read(triggers: Any, steps: Any, now: datetime, problems: Problems) -> Drawing:
    """Triggers and steps in the API's JSON, None for what is not handed in. Every fault is added to `problems`, below
    `triggers` and `steps`: of their form, of the graph, and of what they name that does not exist."""
    drawing = Drawing()
    references: list[Reference] = []
    reading = await rule.reading(now)
    if triggers is not None:
        drawing.triggers = _read_triggers(triggers, reading, problems, references)
    if steps is not None:
        found, faults = graph.read(steps)
        problems.extend(faults, "steps")
        drawing.steps = steps
        drawing.graph = found
        for place, number in _numbered(found, steps) if found.places else ():
            path = ("steps", str(number), "do", camel(place.kind))
            problems.extend(place.problems(reading), *path)
            references += card.references(place, path)
    await _check(references, reading, problems)
    return drawing


def _numbered(found: Graph, steps: list[dict[str, Any]]) -> Iterable[tuple[Step, int]]:
    """Every step that could be read with its number in the list as handed in."""
    for number, each in enumerate(steps):
        key = each.get("id") if isinstance(each, dict) else None
        place = found.places.get(key.strip()) if isinstance(key, str) else None
        if place is not None:
            yield place.card, number


def _read_triggers(
    given: Any, reading: Reading, problems: Problems, references: list[Reference]
) -> list[TriggerDrawing]:
    if not isinstance(given, list):
        problems.add("WRONG_TYPE", "Give a list.", "triggers")
        return []
    if len(given) > TRIGGERS_MAX:
        problems.add("TOO_LONG", f"An automation has at most {TRIGGERS_MAX} triggers.", "triggers")
        return []
    found = []
    for number, each in enumerate(given):
        path: Path = ("triggers", str(number))
        try:
            drawn = card.read(DrawnTrigger, each, path)
        except Invalid as refusal:
            problems.extend(refusal.problems)
            continue
        problems.extend(drawn.on.problems(reading, (*path, "on", camel(drawn.on.kind))))
        references += card.references(drawn.on, (*path, "on", camel(drawn.on.kind)))
        if drawn.where is not None:
            problems.extend(drawn.where.problems(reading, (*path, "where")))
            references += drawn.where.references((*path, "where"))
        found.append(TriggerDrawing(drawn.on, drawn, each))
    return found


async def _check(references: Sequence[Reference], reading: Reading, problems: Problems) -> None:
    """NOT_FOUND for every list, automation, user or segment that is named and not there; UNKNOWN_FIELD for fields."""
    problems.extend(await unknown(references))
    problems.extend(
        Problem("UNKNOWN_FIELD", f"There is no field {each.key}.", each.path)
        for each in references
        if each.kind == "field"
        and "where" not in each.path
        and reading.field(str(each.key)) is None
        and each.key not in BUILT_IN_FIELDS
    )


async def triggers_of(automation_id: int) -> list[dict[str, Any]]:
    """The live triggers as they were handed in."""
    rows = await db.rows(
        Sql(
            """
            SELECT g.parameters, g.condition, g.runs, g.enabled
            FROM trigger g
            WHERE g.automation_id = {id}::bigint
              AND g.removed_at IS NULL
            ORDER BY g.position, g.id
            """,
            id=automation_id,
        )
    )
    return [
        {
            "on": orjson.loads(row["parameters"]),
            "where": None if row["condition"] is None else orjson.loads(row["condition"]),
            "runs": row["runs"],
            "enabled": row["enabled"],
        }
        for row in rows
    ]


def same_triggers(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """For each new trigger the number of the old one it is: the same kind and subject first, then the same kind."""
    left = list(old)
    found: list[int | None] = [None] * len(new)
    for keys in (("kind", "subject"), ("kind",)):
        for place, row in enumerate(new):
            if found[place] is not None:
                continue
            match = next((each for each in left if all(each[key] == row[key] for key in keys)), None)
            if match is not None:
                found[place] = match["id"]
                left.remove(match)
    return found
