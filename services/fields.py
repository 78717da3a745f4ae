"""Custom fields: what else an account wants to know of its contacts, and how each kind of value is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

from kit import db, text
from kit.errors import Problem, Problems, conflict
from kit.sql import Sql
from kit.text import TEXT_LENGTH_MAX
from services.caller import Caller
from services.given import Given

NAME_LENGTH_MAX = 60
OPTIONS_MAX = 500
NUMBER_MAX = Decimal(10) ** 15  # beyond it JSON numbers are no longer exact
NUMBER_LEAST = Decimal(10) ** -15

TYPES = (
    *("TEXT", "TEXTAREA", "DATE", "DATETIME", "DROPDOWN", "LISTBOX", "RADIO", "CHECKBOX"),
    *("NUMBER", "CURRENCY", "HIDDEN"),
)
ONE_OPTION = frozenset({"DROPDOWN", "RADIO"})
SEVERAL_OPTIONS = frozenset({"LISTBOX", "CHECKBOX"})
NUMBERS = frozenset({"NUMBER", "CURRENCY"})

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# What a contact has anyway, in the spellings of the API and of import files.
_BUILT_IN = frozenset(
    {"id", "kind", "email", "phone", "firstname", "lastname", "fullname", "jobtitle", "company", "timezone", "origin"}
    | {"lifecyclestage", "engagementlevel", "previousengagementlevel", "acceptsmarketing", "createdat", "updatedat"}
)


@dataclass(frozen=True, slots=True)
class Field:
    """A custom field as it is defined."""

    id: int
    name: str
    label: str
    type: str
    options: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it is stored: JSON as the API shows it, and the typed column that conditions and sorts look at."""

    json: str
    text: str | None = None
    number: Decimal | None = None
    day: date | None = None
    instant: datetime | None = None


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new custom field from `name label type options required group`; its id.

    Refused: a name that is no name, exists already or is one of the built-in attributes (NAME_TAKEN); options where
    the type has none or no options where it needs them. Name and type are fixed for ever.
    """
    problems = Problems()
    given = Given(values, problems)
    name = given.required_text("name", length_max=NAME_LENGTH_MAX)
    if name and not _NAME.fullmatch(name):
        problems.add("INVALID_VALUE", "Use letters, digits and _, and begin with a letter.", "name")
    elif name.replace("_", "").lower() in _BUILT_IN:
        problems.add("NAME_TAKEN", "Every contact has this attribute already.", "name")
    label = given.text("label") or name
    kind = given.choice("type", TYPES)
    if kind is None and "type" not in {problem.path[0] for problem in problems}:
        problems.add("REQUIRED", "A field needs a type.", "type")
    options = _read_options(kind, values.get("options"), problems)
    group = given.text("group")
    problems.refuse()
    made = await db.value(
        Sql(
            """
            INSERT INTO field (name, label, type, options, required, group_name, created_at, updated_at)
            VALUES ({name}, {label}, {type}, {options}::text[], {required}::boolean, {group}, {now}, {now})
            ON CONFLICT DO NOTHING
            RETURNING id
            """,
            name=name,
            label=label,
            type=kind,
            options=options,
            required=bool(values.get("required")),
            group=group,
            now=by.now,
        )
    )
    if made is None:
        raise conflict("NAME_TAKEN", "Another field has this name.", "name")
    return made


def _read_options(kind: str | None, given: Any, problems: Problems) -> list[str]:
    if kind not in ONE_OPTION | SEVERAL_OPTIONS:
        if given and kind is not None:
            problems.add("INVALID_VALUE", f"A field of type {kind} has no options.", "options")
        return []
    if not given:
        problems.add("REQUIRED", f"A field of type {kind} needs options.", "options")
        return []
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) > OPTIONS_MAX:
        problems.add("INVALID_VALUE", f"Give a list of at most {OPTIONS_MAX} options.", "options")
        return []
    found: list[str] = []
    for place, option in enumerate(given):
        problem = text.fault(option)
        cleaned = "" if problem else text.clean(option)
        if problem is None and not cleaned:
            problem = Problem("REQUIRED", "An option needs a text.")
        if problem is None and cleaned in found:
            problem = Problem("DUPLICATE", "This option is there already.")
        if problem:
            problems.extend([problem], "options", str(place))
        else:
            found.append(cleaned)
    return found


async def find_all() -> list[Field]:
    """Every custom field, the oldest first."""
    return from_json(await db.value(Sql("SELECT {fields}", fields=_selected(Sql("TRUE")))))


async def find(names: Iterable[str]) -> dict[str, Field]:
    """The fields of these names by the name in lower case; unknown names are not in it."""
    chosen = Sql("lower(f.name) = ANY({names}::text[])", names=_lower(names))
    found = from_json(await db.value(Sql("SELECT {fields}", fields=_selected(chosen))))
    return {field.name.lower(): field for field in found}


def named_or_required(names: Iterable[str]) -> Sql:
    """A scalar for a statement that needs more than fields: read it with `from_json`."""
    return _selected(Sql("(f.required OR lower(f.name) = ANY({names}::text[]))", names=_lower(names)))


def from_json(selected: str | None) -> list[Field]:
    """The fields of a scalar made by `named_or_required`."""
    return [Field(**{**row, "options": tuple(row["options"])}) for row in orjson.loads(selected or "[]")]


def _lower(names: Iterable[str]) -> list[str]:
    return [name.lower() for name in names if _NAME.fullmatch(name)]


def _selected(chosen: Sql) -> Sql:
    return Sql(
        """
        (
            SELECT jsonb_agg(
                jsonb_build_object(
                    'id', f.id, 'name', f.name, 'label', f.label,
                    'type', f.type, 'options', f.options, 'required', f.required
                )
                ORDER BY f.id
            )
            FROM field f
            WHERE {chosen}
        )
        """,
        chosen=chosen,
    )


def read(value: Any, field: Any) -> Value | Problem | None:
    """A JSON value as it is stored; None when it clears (null, blank, no option); what is wrong with it (AC26).

    `field` has a `type` and `options`. TEXT TEXTAREA HIDDEN take a string, NUMBER CURRENCY a JSON number, DATE
    "2026-11-22", DATETIME an ISO 8601 text with offset, DROPDOWN RADIO one of the options, LISTBOX CHECKBOX a list.
    """
    if value is None or value == [] or (isinstance(value, str) and not value.strip()):
        return None
    return _READERS[field.type](value, field)


def from_text(cell: str, field: Any) -> Value | Problem | None:
    """Like `read` for the text of an imported cell: numbers as digits, several options with `;` between them."""
    cell = cell.strip()
    if field.type in SEVERAL_OPTIONS:
        return read([option.strip() for option in cell.split(";") if option.strip()], field)
    if field.type in NUMBERS and cell:
        try:
            return _number(Decimal(cell), field)
        except ArithmeticError:
            return Problem("WRONG_TYPE", "This is not a number.")
    return read(cell, field)


def _text(value: Any, field: Any) -> Value | Problem:
    length_max, lines = (TEXT_LENGTH_MAX, True) if field.type == "TEXTAREA" else (2_000, False)
    if problem := text.fault(value, length_max=length_max, lines=lines):
        return problem
    cleaned = text.clean(value)
    return Value(db.jsonb(cleaned), text=cleaned)


def _number(value: Any, field: Any) -> Value | Problem:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return Problem("WRONG_TYPE", "Give a number, without quotes.")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or abs(number) >= NUMBER_MAX or 0 < abs(number) < NUMBER_LEAST:
        return Problem("OUT_OF_RANGE", "A number has at most 15 digits before and after its point.")
    digits = format(number, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return Value("0" if digits == "-0" else digits, number=Decimal(digits))


def _date(value: Any, field: Any) -> Value | Problem:
    problem = Problem("WRONG_TYPE", 'Give a day as "2026-11-22".')
    if not isinstance(value, str) or not _DATE.fullmatch(value.strip()):
        return problem
    try:
        day = date.fromisoformat(value.strip())
    except ValueError:
        return Problem("INVALID_VALUE", "The calendar has no such day.")
    return Value(db.jsonb(day.isoformat()), day=day)


def _datetime(value: Any, field: Any) -> Value | Problem:
    problem = Problem("WRONG_TYPE", 'Give a time with its offset from UTC, as "2026-11-22T09:30:00+01:00".')
    if not isinstance(value, str) or "T" not in value:
        return problem
    try:
        instant = datetime.fromisoformat(value.strip())
        if instant.tzinfo is None:
            return problem
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return problem
    return Value(db.jsonb(instant.isoformat()), instant=instant)


def _one_option(value: Any, field: Any) -> Value | Problem:
    if not isinstance(value, str):
        return Problem("WRONG_TYPE", "Give one of the options, as a text.")
    option = text.clean(value)
    if option not in field.options:
        return _no_option(field)
    return Value(db.jsonb(option), text=option)


def _several_options(value: Any, field: Any) -> Value | Problem:
    if not isinstance(value, list | tuple) or not all(isinstance(option, str) for option in value):
        return Problem("WRONG_TYPE", "Give a list of options.")
    chosen = [text.clean(option) for option in value]
    if any(option not in field.options for option in chosen):
        return _no_option(field)
    if len(set(chosen)) < len(chosen):
        return Problem("DUPLICATE", "Give each option once.")
    return Value(db.jsonb(chosen))


def _no_option(field: Any) -> Problem:
    shown = ", ".join(field.options[:10]) + (" …" if len(field.options) > 10 else "")
    return Problem("INVALID_OPTION", f"Use the options of this field: {shown}.")


_READERS: dict[str, Callable[[Any, Any], Value | Problem]] = {
    **dict.fromkeys(("TEXT", "TEXTAREA", "HIDDEN"), _text),
    **dict.fromkeys(NUMBERS, _number),
    **dict.fromkeys(ONE_OPTION, _one_option),
    **dict.fromkeys(SEVERAL_OPTIONS, _several_options),
    "DATE": _date,
    "DATETIME": _datetime,
}
