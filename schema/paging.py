"""Pages by keyset: a cursor holds the sort values of its row, so a page is one short index scan at any depth.

Absent values stand last in ascending order and first in descending order (those of custom fields last in both); ties
are broken by id in the direction of the last key. Every sort expression is therefore without NULL: absent text sorts
as U+10FFFF, absent numbers and instants as infinity.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

import orjson

from kit.errors import invalid
from kit.sql import FALSE, TRUE, Sql, all_of, any_of, join, name, text

PAGE_DEFAULT = 50
PAGE_MAX = 500
_ID_MAX = 2**63 - 1


@dataclass(frozen=True)
class Elsewhere:
    """A value in another table, whose index has the order."""

    rows: Sql  # what stands behind FROM: the row of the value and the row it is a value of
    value: Sql  # as it is compared
    tie: Sql  # the id in the same index
    absent: Sql  # what stands for the value where there is none
    lacks: Sql  # a condition: there is none


@dataclass(frozen=True)
class Key:
    """One sort key: an expression that is never NULL and its SQL type: text, numeric, timestamptz, date or bigint."""

    name: str
    expression: Sql
    type: str
    descending: bool = False
    elsewhere: Elsewhere | None = None

    @cached_property
    def ordered(self) -> Sql:
        """The expression as it is compared; text by code point, so that every machine sorts alike."""
        return Sql('{e} COLLATE "C"', e=self.expression) if self.type == "text" else self.expression

    def value(self, raw: str) -> Sql:
        """A cursor's value as a parameter of the key's type."""
        return _TYPED[self.type](raw)


_TYPED = {
    "text": lambda raw: Sql("{v}::text", v=raw),
    "numeric": lambda raw: Sql("{v}::text::numeric", v=raw),
    "timestamptz": lambda raw: Sql("{v}::text::timestamptz", v=raw),
    "date": lambda raw: Sql("{v}::text::date", v=raw),
    "bigint": lambda raw: Sql("{v}::text::bigint", v=raw),
}


def by_id(alias: str, *, descending: bool = False) -> Key:
    return Key("id", Sql("{alias}.id", alias=Sql(alias)), "bigint", descending)


def ending_with_id(keys: Sequence[Key], alias: str) -> tuple[Key, ...]:
    """The keys, made total by the id in the direction of the last one."""
    descending = keys[-1].descending if keys else False
    return (*keys, by_id(alias, descending=descending))


@dataclass(frozen=True, slots=True)
class Page:
    """What `first after last before` ask for, checked."""

    size: int
    backward: bool
    after: str | None
    before: str | None


def page(
    first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
) -> Page:
    """Refuses `first` and `last` together and sizes outside 0 … 500 (never a silent cap)."""
    if first is not None and last is not None:
        raise invalid("FIRST_AND_LAST", "Use first or last, not both.", "first")
    for argument, size in (("first", first), ("last", last)):
        if size is not None and not 0 <= size <= PAGE_MAX:
            raise invalid("OUT_OF_RANGE", f"{argument} must be between 0 and {PAGE_MAX}.", argument)
    if last is not None:
        return Page(last, True, after, before)
    return Page(PAGE_DEFAULT if first is None else first, False, after, before)


def described(keys: Sequence[Key]) -> tuple[str, ...]:
    """What tells one order from another."""
    return tuple(f"{key.name} {key.type} {key.descending}" for key in keys)


def signature(keys: Sequence[Key]) -> str:
    """Tells the cursors of one order from those of another."""
    words = "|".join(described(keys))
    return hashlib.sha1(words.encode(), usedforsecurity=False).hexdigest()[:8]


def cursor(keys: Sequence[Key], alias: Sql) -> Sql:
    """The expression that makes a row's cursor from its columns `key_0 …`."""
    columns = join(
        ", ", [Sql("{alias}.{column}", alias=alias, column=name(f"key_{number}")) for number in range(len(keys))]
    )
    return Sql(
        "translate(encode(convert_to(json_build_array({signature}, {columns})::text, 'UTF8'), 'base64'), E'\\n', '')",
        signature=text(signature(keys)),
        columns=columns,
    )


def beyond(keys: Sequence[Key], where: str, *, argument: str, backward: bool) -> Sql:
    """The rows that lie behind a cursor in the order of the keys, or before it when `backward`."""
    values = [key.value(raw) for key, raw in zip(keys, _values(keys, where, argument), strict=True)]
    if len({key.descending for key in keys}) == 1:
        return Sql(
            "({keys}) {compares} ({values})",
            keys=join(", ", [key.ordered for key in keys]),
            compares=_compares(keys[0], backward),
            values=join(", ", values),
        )
    steps = []
    for number, key in enumerate(keys):
        same = [Sql("{k} = {v}", k=keys[i].ordered, v=values[i]) for i in range(number)]
        further = Sql("{k} {compares} {v}", k=key.ordered, compares=_compares(key, backward), v=values[number])
        steps.append(all_of([*same, further]))
    return any_of(steps)


def in_parts(keys: Sequence[Key]) -> Elsewhere | None:
    """Where the order lies, if it is that of one value elsewhere: first who has it, then who has not.

    Its keys are whether it is absent (0 or 1), the value, and the id.
    """
    return keys[1].elsewhere if len(keys) == 3 else None


def beyond_in_parts(keys: Sequence[Key], where: str, *, argument: str, backward: bool) -> tuple[Sql, Sql]:
    """What `beyond` says of those who have the value, and of those who have not."""
    absent_key, key, by_id_ = keys
    assert key.elsewhere is not None
    absent, raw, number = _values(keys, where, argument)
    absent_behind = absent_key.descending == backward
    if absent == "1":
        compares = _compares(by_id_, backward)
        further = Sql("{k} {compares} {v}", k=by_id_.ordered, compares=compares, v=by_id_.value(number))
        return (FALSE if absent_behind else TRUE), further
    bound = Sql(
        "({value}, {tie}) {compares} ({v}, {number}) AND {value} {compares}= {v}",
        value=key.elsewhere.value,
        tie=key.elsewhere.tie,
        compares=_compares(key, backward),
        v=key.value(raw),
        number=by_id_.value(number),
    )
    return bound, (TRUE if absent_behind else FALSE)


def _compares(key: Key, backward: bool) -> Sql:
    return Sql("<") if key.descending != backward else Sql(">")


def _values(keys: Sequence[Key], where: str, argument: str) -> list[str]:
    try:
        content: Any = orjson.loads(base64.b64decode(where, validate=True))
        if isinstance(content, list) and len(content) == len(keys) + 1 and content[0] == signature(keys):
            values = [str(value) for value in content[1:]]
            if all(_fits(key.type, value) for key, value in zip(keys, values, strict=True)):
                return values
    except (binascii.Error, ValueError, UnicodeError):
        pass
    raise invalid("INVALID_CURSOR", f"{argument} is not a cursor of this list.", argument)


def _fits(type_: str, value: str) -> bool:
    try:
        if type_ == "bigint":
            return abs(int(value)) <= _ID_MAX
        if type_ == "numeric":
            return not Decimal(value).is_nan()
        if type_ in ("timestamptz", "date"):
            return value == "infinity" or bool(datetime.fromisoformat(value))
        return "\x00" not in value
    except (ValueError, InvalidOperation):
        return False
