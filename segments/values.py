"""The sorts of values a contact has, and how each is given in a rule and compared in SQL."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from kit import card, phone, text
from kit.card import Path
from kit.duration import Duration
from kit.errors import Invalid, Problem
from kit.sql import FALSE, Sql
from segments.reading import Reading

VALUE_LENGTH_MAX = 2_000
SHOWN_MAX = 20  # values in a sentence

SIGNS = {sign: Sql(sign) for sign in ("<", "<=", "=", ">=", ">")}


class ValueType(ABC):
    """A sort of value: how a rule gives one, and what it is compared by."""

    word: ClassVar[str]  # in messages: "a text"

    @abstractmethod
    def read(self, given: Any, path: Path) -> Any:
        """One value as a rule gives it. Refused (Invalid) with the path: another type, a blank one."""

    @abstractmethod
    def compare(self, expression: Sql, sign: str, value: Any, reading: Reading) -> Sql:
        """SQL that is true where the expression, which is not NULL, stands so to the value. Signs: `SIGNS`."""

    def among(self, expression: Sql, values: Sequence[Any], reading: Reading) -> Sql:
        """SQL that is true where the expression is one of the values."""
        raise NotImplementedError

    def filled(self, expression: Sql) -> Sql:
        """SQL that is true where there is something in the expression."""
        return Sql("{e} IS NOT NULL", e=expression)

    def read_beginning(self, given: Any, path: Path) -> Any:
        """What a value may begin with."""
        return self.read(given, path)

    def read_ordered(self, given: Any, path: Path) -> Any:
        """A value that others can stand before and after."""
        return self.read(given, path)

    def read_duration(self, given: Duration, path: Path) -> Duration:
        """A length of time that makes sense around such a value."""
        return given

    def unfit(self, value: Any, reading: Reading) -> str | None:
        """Why the account cannot understand a value that was read, as a sentence."""
        return None

    def show(self, value: Any) -> str:
        return str(value)


def wrong(code: str, message: str, path: Path) -> Invalid:
    """A refusal of one value."""
    return Invalid(Problem(code, message, path))


def read_text(given: Any, path: Path) -> str:
    """A text with something in it."""
    found = text.fault(given, length_max=VALUE_LENGTH_MAX, lines=True)
    if found is not None:
        raise Invalid(found.below(*path))
    cleaned = text.clean(given)
    if not cleaned:
        raise wrong("REQUIRED", "Give a text, or ask for blank ones with IS_BLANK.", path)
    return cleaned


class AnyType(ValueType):
    """A value of a sort that is not known yet: of a custom field, before the fields were looked up."""

    word = "a value"

    def read(self, given: Any, path: Path) -> Any:
        if isinstance(given, str):
            return read_text(given, path)
        if isinstance(given, (dict, list)):
            raise wrong("WRONG_TYPE", "Give one value.", path)
        return given if isinstance(given, bool) else card.number(given, path)

    def compare(self, expression: Sql, sign: str, value: Any, reading: Reading) -> Sql:
        return FALSE

    def show(self, value: Any) -> str:
        return f"{value:,f}" if isinstance(value, Decimal) else str(value)


class TextType(ValueType):
    """Text, without regard to case but with regard to accents."""

    word = "a text"

    def read(self, given: Any, path: Path) -> str:
        return read_text(given, path)

    def compare(self, expression: Sql, sign: str, value: str, reading: Reading) -> Sql:
        # Two tests, because the indexes hold only the beginning of long texts.
        return Sql(
            '(sort_text({e}) COLLATE "C" = sort_text({value}::text) COLLATE "C" AND lower({e}) = lower({value}::text))',
            e=expression,
            value=value,
        )

    def among(self, expression: Sql, values: Sequence[str], reading: Reading) -> Sql:
        return Sql(
            """(sort_text({e}) COLLATE "C" = ANY (ARRAY(SELECT sort_text(w) FROM unnest({values}::text[]) w))
            AND lower({e}) = ANY (ARRAY(SELECT lower(w) FROM unnest({values}::text[]) w)))""",
            e=expression,
            values=list(values),
        )

    def filled(self, expression: Sql) -> Sql:
        return Sql("{e} ~ '[^[:space:]]'", e=expression)

    def show(self, value: str) -> str:
        return value


class PhoneType(TextType):
    """A telephone number, compared in its normal form."""

    word = "a phone number"

    def compare(self, expression: Sql, sign: str, value: str, reading: Reading) -> Sql:
        normal = phone.normalise(value, reading.default_country)
        return Sql("{e} = {value}::text", e=expression, value=normal) if normal else FALSE

    def among(self, expression: Sql, values: Sequence[str], reading: Reading) -> Sql:
        normal = [phone.normalise(value, reading.default_country) for value in values]
        return Sql("{e} = ANY({values}::text[])", e=expression, values=[number for number in normal if number])

    def unfit(self, value: str, reading: Reading) -> str | None:
        if phone.normalise(value, reading.default_country):
            return None
        return "This is not a phone number. Write it with its country code, as +33 6 12 34 56 78."

    def read_beginning(self, given: Any, path: Path) -> str:
        """The beginning of a number in its normal form."""
        beginning = re.sub(r"[\s().\-/]", "", read_text(given, path))
        if not re.fullmatch(r"\+[0-9]{1,15}", beginning, re.ASCII):
            raise wrong("INVALID_VALUE", "Write the beginning with its country code, as +33.", path)
        return beginning


class NumberType(ValueType):
    word = "a number"

    def read(self, given: Any, path: Path) -> Decimal:
        return card.number(given, path)

    def compare(self, expression: Sql, sign: str, value: Decimal, reading: Reading) -> Sql:
        return Sql("{e} {sign} {value}::numeric", e=expression, sign=SIGNS[sign], value=value)

    def among(self, expression: Sql, values: Sequence[Decimal], reading: Reading) -> Sql:
        return Sql("{e} = ANY({values}::numeric[])", e=expression, values=list(values))

    def show(self, value: Decimal) -> str:
        return f"{value:,f}"


class BooleanType(ValueType):
    word = "true or false"

    def read(self, given: Any, path: Path) -> bool:
        if not isinstance(given, bool):
            raise wrong("WRONG_TYPE", "Give true or false.", path)
        return given

    def compare(self, expression: Sql, sign: str, value: bool, reading: Reading) -> Sql:
        return Sql("{e} = {value}::boolean", e=expression, value=value)

    def show(self, value: bool) -> str:
        return "true" if value else "false"


@dataclass(frozen=True)
class OptionType(ValueType):
    """One word of a list, exactly as it is written there; without a list any word."""

    options: tuple[str, ...] = ()

    word = "one of the options"

    def read(self, given: Any, path: Path) -> str:
        value = read_text(given, path)
        if self.options and value not in self.options:
            raise wrong("INVALID_VALUE", f"Give one of {shortened(self.options)}.", path)
        return value

    def compare(self, expression: Sql, sign: str, value: str, reading: Reading) -> Sql:
        return Sql("{e} = {value}::text", e=expression, value=value)

    def among(self, expression: Sql, values: Sequence[str], reading: Reading) -> Sql:
        return Sql("{e} = ANY({values}::text[])", e=expression, values=list(values))


@dataclass(frozen=True)
class StageType(OptionType):
    """An option with a place in an order; those after `ordered` have none."""

    ordered: int = 0

    def compare(self, expression: Sql, sign: str, value: str, reading: Reading) -> Sql:
        if sign == "=":
            return super().compare(expression, sign, value, reading)
        order = self.options[: self.ordered]
        at = order.index(value)
        stages = {"<": order[:at], "<=": order[: at + 1], ">=": order[at:], ">": order[at + 1 :]}[sign]
        return self.among(expression, stages, reading)

    def read_ordered(self, given: Any, path: Path) -> str:
        """A stage that has a place in the order."""
        value = self.read(given, path)
        if value not in self.options[: self.ordered]:
            raise wrong("INVALID_VALUE", f"{value} has no place in the order {shortened(self.options)}.", path)
        return value


class FieldOptionType(OptionType):
    """The option chosen in a custom field, looked up by the index of texts."""

    def compare(self, expression: Sql, sign: str, value: str, reading: Reading) -> Sql:
        return Sql(
            '(sort_text({e}) COLLATE "C" = sort_text({value}::text) COLLATE "C" AND {e} = {value}::text)',
            e=expression,
            value=value,
        )


class OptionsType(OptionType):
    """Several options of a list, as a JSON array."""

    def filled(self, expression: Sql) -> Sql:
        return Sql("{e} <> '[]'::jsonb", e=expression)


def shortened(words: Sequence[str]) -> str:
    """The words with commas, not too many of them."""
    return ", ".join(words[:SHOWN_MAX]) + (f" … ({len(words)} in all)" if len(words) > SHOWN_MAX else "")
