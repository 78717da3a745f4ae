"""A template is a ready-made automation in one file: a few questions, and the triggers and steps that follow."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import Any, ClassVar

from kit import card, registry
from kit.errors import Invalid, Problem
from services.caller import Caller
from workflows import publish

Json = dict[str, Any]


class Template(ABC):
    """What every template is made of. Cards are frozen dataclasses of what they ask, in workflows/gallery/."""

    kind: ClassVar[str] = ""  # the file name, e.g. cleanup
    title: ClassVar[str]  # the name of an automation that is given none
    examples: ClassVar[tuple[dict[str, Any], ...]]  # parameters as the API takes them

    @abstractmethod
    def drawn(self) -> Json:
        """The `triggers` and `steps` in the API's JSON, and other settings of the automation."""


@cache
def kinds() -> dict[str, type[Template]]:
    """Every template by its file name."""
    from workflows import gallery

    return registry.cards(gallery, Template)  # type: ignore[type-abstract]


async def create(kind: str, name: str | None, parameters: Any, *, by: Caller) -> int:
    """A new automation as the template draws it, not yet active; its id. From then on it is like any other.

    Refused (Invalid) with every fault: what `parameters` lack or name that is not there, at the parameter.
    """
    template = card.read(kinds()[kind], parameters, ("parameters",))
    values = {"name": name or template.title, **template.drawn()}
    try:
        return await publish.create(values, by=by)
    except Invalid as refusal:
        raise Invalid(*(_at_parameter(problem, template) for problem in refusal.problems)) from None


def _at_parameter(problem: Problem, template: Template) -> Problem:
    """A fault in what was drawn, at the parameter that it came from where that can be told by its kind."""
    if problem.path[:1] not in (("triggers",), ("steps",)):
        return problem
    asked = [each.path[0] for each in card.references(template) if problem.path[-1] in (each.path[0], "name")]
    return Problem(problem.code, problem.message, ("parameters", *asked[:1]))


def step(key: str, do: Json, next_: str | None = None, label: str | None = None) -> Json:
    """A step of a drawing."""
    return {"id": key, "do": do, "next": next_, "label": label}


def fork(key: str, where: Json, *, yes: str | None, no: str | None, label: str) -> Json:
    """A fork by a rule; None leads to the end."""
    branches = [{"name": "YES", "next": yes}, {"name": "NO", "next": no}]
    return {"id": key, "label": label, "do": {"ifElse": {"where": where}}, "branches": branches}
