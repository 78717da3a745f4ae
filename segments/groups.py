"""Rules made of rules: all of them, any of them, not this one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from kit.card import Path, Reference
from kit.errors import Problem
from kit.sql import Sql, all_of, any_of, join
from segments import flips
from segments.condition import Condition
from segments.names import PLAIN, Names
from segments.reading import Reading


@dataclass(frozen=True)
class Group(Condition):
    """Several conditions (never none) joined by a word."""

    word: ClassVar[str]
    parts: tuple[Condition, ...]

    def describe(self, names: Names = PLAIN) -> str:
        return self.word.join(
            f"({part.describe(names)})" if isinstance(part, Group) else part.describe(names) for part in self.parts
        )

    @property
    def depends_on_time(self) -> bool:
        return any(part.depends_on_time for part in self.parts)

    def flips(self, reading: Reading) -> Sql | None:
        return flips.first(part.flips(reading) for part in self.parts)

    def problems(self, reading: Reading, path: Path) -> Iterator[Problem]:
        for part, where in self._placed(path):
            yield from part.problems(reading, where)

    def references(self, path: Path = ()) -> Iterator[Reference]:
        for part, where in self._placed(path):
            yield from part.references(where)

    def _placed(self, path: Path) -> Iterator[tuple[Condition, Path]]:
        for at, part in enumerate(self.parts):
            yield part, (*path, self.kind, str(at))


class All(Group):
    kind = "all"
    word = " and "

    def compile(self, reading: Reading) -> Sql:
        return all_of(part.compile(reading) for part in self.parts)

    def complement(self, reading: Reading) -> Sql:
        return _either(self.parts, reading, complement=True)

    def finds(self, *, complement: bool = False) -> bool:
        return (all if complement else any)(part.finds(complement=complement) for part in self.parts)


class Any(Group):
    kind = "any"
    word = " or "

    def compile(self, reading: Reading) -> Sql:
        return _either(self.parts, reading, complement=False)

    def complement(self, reading: Reading) -> Sql:
        return all_of(part.complement(reading) for part in self.parts)

    def finds(self, *, complement: bool = False) -> bool:
        return (any if complement else all)(part.finds(complement=complement) for part in self.parts)


class Not(Group):
    kind = "not"

    def compile(self, reading: Reading) -> Sql:
        return self.parts[0].complement(reading)

    def complement(self, reading: Reading) -> Sql:
        return self.parts[0].compile(reading)

    def finds(self, *, complement: bool = False) -> bool:
        return self.parts[0].finds(complement=not complement)

    def describe(self, names: Names = PLAIN) -> str:
        return f"not ({self.parts[0].describe(names)})"

    def _placed(self, path: Path) -> Iterator[tuple[Condition, Path]]:
        yield self.parts[0], (*path, self.kind)


def _either(parts: tuple[Condition, ...], reading: Reading, *, complement: bool) -> Sql:
    """One of the parts holds; or of their complements.

    Where all of them find their contacts by an index these are put together, instead of reading everybody for an OR
    whose parts the planner cannot join.
    """
    together = reading.in_sets and len(parts) > 1 and all(part.finds(complement=complement) for part in parts)
    below = reading if together else replace(reading, in_sets=False)
    written = [part.complement(below) if complement else part.compile(below) for part in parts]
    if not together:
        return any_of(written)
    found = join(" UNION ", (Sql("SELECT c.id FROM contact c WHERE {part}", part=part) for part in written))
    return Sql("(c.id IN ({found}))", found=found)
