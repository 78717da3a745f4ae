"""The answers of a form, checked against what it asks for and read as what a contact's record takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from kit import card
from kit.errors import Problem, Problems, Refused
from services import fields, record
from services.fields import Value
from services.forms import ATTRIBUTES, Form

PATH = "answers"


@dataclass(frozen=True, slots=True)
class Answers:
    """Values as the verbs on contacts take them, and the identifiers in their normal form."""

    values: dict[str, Any]
    email: str | None
    phone: str | None

    def seen(self, refusal: Refused) -> Refused:
        """A refusal of those values, told by the names that the form uses."""
        return type(refusal)(*(self._seen(problem) for problem in refusal.problems))

    def _seen(self, problem: Problem) -> Problem:
        path = problem.path
        if path[:1] == ("fieldValues",) and len(path) > 1:
            path = (self.values["field_values"][int(path[1])]["name"], *path[3:])
        return Problem(problem.code, problem.message, (PATH, *path) if path else ())


async def read(form: Form, given: Mapping[str, Any]) -> Answers:
    """What was answered; empty answers are none, and erase nothing.

    Refused, all faults at once, with paths below `answers`: what the form does not ask for (UNKNOWN_FIELD), what it
    requires and did not get, wrong values, neither e-mail nor telephone (IDENTIFIER_REQUIRED).
    """
    problems = Problems()
    card.json(dict(given), (PATH,))
    asked = {each["name"]: each["required"] for each in form.asks}
    for name in given:
        if name not in asked:
            problems.add("UNKNOWN_FIELD", "This form does not ask for this.", PATH, str(name)[:50])
    custom = await fields.find([name for name in asked if name not in ATTRIBUTES])
    values: dict[str, Any] = {"field_values": []}
    for name, required in asked.items():
        field = custom.get(name.lower())
        if field is None and name not in ATTRIBUTES:
            continue  # it was deleted since
        value = _told(given.get(name), field)
        if isinstance(value, Problem):
            problems.extend([value], PATH, name)
        elif value is None and required:
            problems.add("REQUIRED", "This cannot be empty.", PATH, name)
        elif value is not None and field is None:
            values[ATTRIBUTES[name]] = value
        elif value is not None:
            values["field_values"].append({"name": name, "value": value})
    found = Problems()
    wanted = record.read(values, await record.surroundings(values), found)
    answers = Answers(values, wanted.attributes.get("email"), wanted.attributes.get("phone"))
    problems.extend(answers._seen(problem) for problem in found)
    if not problems and not (answers.email or answers.phone):
        missing = "email" if "email" in asked else "phone"
        problems.add("IDENTIFIER_REQUIRED", "Give an e-mail address or a telephone number.", PATH, missing)
    problems.refuse()
    return answers


def _told(value: Any, field: fields.Field | None) -> Any:
    """An answer as JSON for the record: pages send every value as text. None for what is blank."""
    if value is None or value == [] or (isinstance(value, str) and not value.strip()):
        return None
    if field is None or not isinstance(value, str):
        return value
    read = fields.from_text(value, field)
    return orjson.loads(read.json) if isinstance(read, Value) else read
