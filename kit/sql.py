"""SQL as a value: a text with named holes, and what stands in them.

`Sql("SELECT c.id FROM contact c WHERE c.id = ANY({ids}::bigint[])", ids=[1, 2])` — a hole filled with another `Sql`
is spliced in, anything else becomes a parameter. Texts are never pasted together, so no value can become SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

_OPEN: Any = object()
_HOLE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


@lru_cache(maxsize=4096)
def _pieces(text: str) -> tuple[str, ...]:
    """The text cut at its holes: words at even places, names of holes at odd ones."""
    return tuple(_HOLE.split(text))


class Sql:
    """An immutable piece of SQL with its parameters."""

    __slots__ = ("text", "values")

    def __init__(self, text: str, /, **values: Any) -> None:
        self.text = text
        self.values = values

    def render(self) -> tuple[str, list[Any]]:
        """The text for PostgreSQL with `$1 …`, and the parameters in their order."""
        words: list[str] = []
        parameters: list[Any] = []
        _write(self, words, parameters)
        return "".join(words), parameters

    def flat(self) -> Sql:
        """The same as one text with its holes, which is faster to render: for what is asked again and again.

        What holds a `Slot`, or is open, becomes a hole of that name, to be filled by `with_`.
        """
        words: list[str] = []
        values: dict[str, Any] = {}
        _flatten(self, words, values)
        return Sql("".join(words), **values)

    def slots(self) -> set[str]:
        """The names of what is still to be filled."""
        found: set[str] = set()
        for hole in _pieces(self.text)[1::2]:
            value = self.values.get(hole, _OPEN)
            if isinstance(value, Sql):
                found |= value.slots()
            elif value is _OPEN or isinstance(value, Slot):
                found.add(hole if value is _OPEN else value.name)
        return found

    def pending(self) -> list[Slot]:
        """The slots that are still to be filled."""
        found: list[Slot] = []
        for value in self.values.values():
            if isinstance(value, Slot):
                found.append(value)
            elif isinstance(value, Sql):
                found += value.pending()
        return found

    def with_(self, **values: Any) -> Sql:
        """The same with these holes filled."""
        return Sql(self.text, **self.values | values)

    def __repr__(self) -> str:
        return f"Sql({self.text!r}, {', '.join(self.values)})"


class Slot:
    """Stands for a value that is only known later."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


def _write(piece: Sql, words: list[str], parameters: list[Any]) -> None:
    pieces = _pieces(piece.text)
    words.append(pieces[0])
    if len(pieces) == 1:
        return
    numbers: dict[str, str] = {}
    values = piece.values
    for at in range(1, len(pieces), 2):
        name = pieces[at]
        value = values[name]
        if isinstance(value, Sql):
            _write(value, words, parameters)
        else:
            if name not in numbers:
                parameters.append(value)
                numbers[name] = f"${len(parameters)}"
            words.append(numbers[name])
        words.append(pieces[at + 1])


def _flatten(piece: Sql, words: list[str], values: dict[str, Any]) -> None:
    pieces = _pieces(piece.text)
    words.append(pieces[0])
    holes: dict[str, str] = {}
    for at in range(1, len(pieces), 2):
        name = pieces[at]
        value = piece.values.get(name, _OPEN)
        if isinstance(value, Sql):
            _flatten(value, words, values)
        elif value is _OPEN or isinstance(value, Slot):
            hole = name if value is _OPEN else value.name
            words.append("{" + hole + "}")
            if value is not _OPEN:
                values[hole] = value
        else:
            if name not in holes:
                holes[name] = f"value_{len(values)}"
                values[holes[name]] = value
            words.append("{" + holes[name] + "}")
        words.append(pieces[at + 1])


NOTHING = Sql("")
TRUE = Sql("TRUE")
FALSE = Sql("FALSE")


def name(identifier: str) -> Sql:
    """An identifier, quoted: a column alias, a table name."""
    return Sql('"' + identifier.replace('"', '""') + '"')


def text(literal: str) -> Sql:
    """A constant text written into the statement, quoted. For words of our own, not for values of callers."""
    return Sql("'" + literal.replace("'", "''") + "'")


def number(literal: int) -> Sql:
    """A whole number written into the statement: where the best plan depends on it, such as the size of a page."""
    return Sql(str(int(literal)))


def verbatim(statement: str) -> Sql:
    """SQL of somebody else, for another database, in which braces are no holes."""
    holes = set(_pieces(statement)[1::2])
    return Sql(statement, **{hole: Sql("{brace}" + hole + "}", brace=Sql("{")) for hole in holes})


def join(separator: str, pieces: Iterable[Sql]) -> Sql:
    """The pieces with a separator between them: `join(", ", columns)`."""
    named = {f"p{number}": piece for number, piece in enumerate(pieces)}
    return Sql(separator.join("{" + key + "}" for key in named), **named)


def all_of(pieces: Iterable[Sql]) -> Sql:
    """Every piece holds. No piece: TRUE, so never hand a caller's empty list to this."""
    found = list(pieces)
    return Sql("({all})", all=join(" AND ", found)) if found else TRUE


def any_of(pieces: Iterable[Sql]) -> Sql:
    """At least one piece holds. No piece: FALSE."""
    found = list(pieces)
    return Sql("({any})", any=join(" OR ", found)) if found else FALSE


def negation(piece: Sql) -> Sql:
    """The exact complement, also where the piece is NULL."""
    return Sql("(({piece}) IS NOT TRUE)", piece=piece)


def ids(numbers: Iterable[int]) -> Sql:
    """A set of contacts given by hand: selects the ids in a column `id`."""
    return Sql("SELECT unnest({numbers}::bigint[]) AS id", numbers=list(numbers))
