"""Values of custom fields: how each kind of value is read, from JSON or from the text of a cell, and stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from kit import db, text
from kit.errors import Problem
from kit.text import TEXT_LENGTH_MAX

NUMBER_MAX = Decimal(10) ** 15  # beyond it JSON numbers are no longer exact
NUMBER_LEAST = Decimal(10) ** -15

ONE_OPTION = frozenset({"DROPDOWN", "RADIO"})
SEVERAL_OPTIONS = frozenset({"LISTBOX", "CHECKBOX"})
NUMBERS = frozenset({"NUMBER", "CURRENCY"})

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it is stored: JSON as the API shows it, and the typed column that conditions and sorts look at."""

    json: str
    text: str | None = None
    number: Decimal | None = None
    day: date | None = None
    instant: datetime | None = None


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
    return Value(db.jsonb(chosen), text=", ".join(chosen) or None)  # as they are sorted


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
