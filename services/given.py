"""What a caller typed in, read strictly, every fault noted with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from kit import text
from kit.errors import Problems
from kit.text import LINE_LENGTH_MAX

INTEGER_MAX = 2**63 - 1
AMOUNT_MAX = Decimal(10) ** 11  # with four decimals, fifteen digits: as many as JSON numbers hold exactly
AMOUNT_DECIMALS_MAX = 4


def camel(key: str) -> str:
    """The name of an input as a caller of the API spells it."""
    head, *rest = key.split("_")
    return head + "".join(word.capitalize() for word in rest)


class Given:
    """The values of one input by their snake_case keys. An absent key stays absent, None means "clear"."""

    def __init__(self, values: Mapping[str, Any], problems: Problems, *, path: tuple[str, ...] = ()) -> None:
        self.values = values
        self.problems = problems
        self.path = path

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def inside(self, values: Mapping[str, Any], *path: str) -> Given:
        """An object within this input, whose faults are noted below `path`."""
        return Given(values, self.problems, path=(*self.path, *path))

    def refuse(self, code: str, message: str, *path: str) -> None:
        self.problems.add(code, message, *self.path, *path)

    def text(self, key: str, *, length_max: int = LINE_LENGTH_MAX, lines: bool = False) -> str | None:
        """A text, tidied; None when absent, cleared, blank or faulty (which is noted)."""
        value = self.values.get(key)
        if value is None:
            return None
        if text.is_ordinary(value, length_max):
            return value.strip() or None
        problem = text.fault(value, length_max=length_max, lines=lines)
        if problem:
            self.problems.extend([problem], *self.path, camel(key))
            return None
        return text.clean(value) or None

    def required_text(self, key: str, *, length_max: int = LINE_LENGTH_MAX, lines: bool = False) -> str:
        """Like `text`; absence is noted as REQUIRED, and the answer is then empty."""
        before = len(self.problems)
        found = self.text(key, length_max=length_max, lines=lines)
        if found is None and len(self.problems) == before:
            self.refuse("REQUIRED", "This cannot be empty.", camel(key))
        return found or ""

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str | None:
        """One of the words; None or absent gives the default."""
        value = self.values.get(key)
        if value is None:
            return default
        if value not in choices:
            self.refuse("INVALID_VALUE", f"Use one of {', '.join(choices)}.", camel(key))
            return default
        return value

    def integer(self, key: str, *, least: int = 0, most: int = INTEGER_MAX) -> int | None:
        """A whole number within bounds."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse("WRONG_TYPE", "This must be a whole number.", camel(key))
            return None
        if not least <= value <= most:
            self.refuse("OUT_OF_RANGE", f"This must be between {least:,} and {most:,}.", camel(key))
            return None
        return value

    def amount(self, key: str, *, above_zero: bool = False) -> Decimal | None:
        """A sum of money or a quantity, not negative: below a hundred thousand millions, with four decimals at most."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            self.refuse("WRONG_TYPE", "This must be a number.", camel(key))
            return None
        amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        fits = amount.is_finite() and 0 <= amount < AMOUNT_MAX and (amount > 0 or not above_zero)
        if not fits or amount != amount.quantize(Decimal(10) ** -AMOUNT_DECIMALS_MAX):
            least = "more than 0" if above_zero else "0 at least"
            self.refuse(
                "OUT_OF_RANGE", f"This must be {least}, below {AMOUNT_MAX:,}, with 4 decimals at most.", camel(key)
            )
            return None
        return amount

    def instant(self, key: str) -> datetime | None:
        """A point in time with its offset from UTC."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            self.refuse("WRONG_TYPE", "This must be a date and time with its offset from UTC.", camel(key))
            return None
        return value
