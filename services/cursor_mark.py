"""How far a source was read: the last value of its cursor column, and which rows about there were seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import orjson

SEEN_MAX = 10_000  # rows that are known again; beyond these some are read twice, which changes nothing
DIGEST_BYTES = 8

_WRITTEN: dict[str, tuple[Callable[[str], Any], Callable[[Any], str]]] = {
    "number": (Decimal, str),
    "instant": (datetime.fromisoformat, datetime.isoformat),
    "date": (date.fromisoformat, date.isoformat),
    "bytes": (bytes.fromhex, bytes.hex),
    "text": (str, str),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """`value` is the last one; `seen` are digests of the rows that are read again though they were taken in."""

    value: Any
    seen: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def read(cls, stored: Mapping[str, Any] | None) -> Mark | None:
        if stored is None:
            return None
        read, _ = _WRITTEN[stored["kind"]]
        value = read(stored["value"])
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)  # drivers are particular about what they compare whole numbers with
        return cls(value, frozenset(stored["seen"]))

    def stored(self) -> dict[str, Any]:
        kind = _kind(self.value)
        _, write = _WRITTEN[kind]
        return {"kind": kind, "value": write(self.value), "seen": sorted(self.seen)}

    def since(self, overlap: int) -> Any:
        """Where to read from: a little before the last value, for rows that were committed late.

        `overlap` are seconds for instants and units for numbers; other values have nothing before them.
        """
        return _before(self.value, overlap)


class Watch:
    """Follows rows as they are read in the order of the cursor, and knows the mark behind them."""

    def __init__(self, mark: Mark | None, overlap: int) -> None:
        self._mark = mark
        self._overlap = overlap
        self._last: Any = None if mark is None else mark.value
        self._recent: deque[tuple[Any, str]] = deque(maxlen=SEEN_MAX)

    def is_new(self, value: Any, cells: Iterable[str]) -> bool:
        """Whether this row, with that value of the cursor, was not taken in before as it is now."""
        if value is None:
            return True
        digest = blake2b(orjson.dumps([str(value), *cells]), digest_size=DIGEST_BYTES).hexdigest()
        self._recent.append((value, digest))
        if self._mark is None or isinstance(value, str) or not _less(value, self._mark.value):
            self._last = value  # of what lies before the mark, the mark stays the last
        return self._mark is None or digest not in self._mark.seen

    def mark(self) -> Mark | None:
        """The mark behind the rows so far. Those that were seen before and are within the overlap stay known."""
        if self._last is None:
            return None
        least = _before(self._last, self._overlap)
        seen = frozenset(digest for value, digest in self._recent if not _less(value, least))
        return Mark(self._last, seen)


def _kind(value: Any) -> str:
    if isinstance(value, datetime):
        return "instant"
    if isinstance(value, date):
        return "date"
    if isinstance(value, bytes):
        return "bytes"
    return "number" if isinstance(value, int | float | Decimal) else "text"


def _before(value: Any, overlap: int) -> Any:
    if isinstance(value, datetime):
        try:
            return value - timedelta(seconds=overlap)
        except OverflowError:
            return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return value - overlap
    return value


def _less(one: Any, other: Any) -> bool:
    """By the order of Python, which for texts may be another than the database's: then a row is read once more."""
    try:
        return one < other
    except TypeError:  # the column has become another type
        return True
