"""Rules made of rules: all of them, any of them, not this one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from kit.card import Path, Reference
from kit.errors import Problem
from kit.sql import Sql, all_of, any_of
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
        return any_of(part.complement(reading) for part in self.parts)


class Any(Group):
    kind = "any"
    word = " or "

    def compile(self, reading: Reading) -> Sql:
        return any_of(part.compile(reading) for part in self.parts)

    def complement(self, reading: Reading) -> Sql:
        return all_of(part.complement(reading) for part in self.parts)


class Not(Group):
    kind = "not"

    def compile(self, reading: Reading) -> Sql:
        return self.parts[0].complement(reading)

    def complement(self, reading: Reading) -> Sql:
        return self.parts[0].compile(reading)

    def describe(self, names: Names = PLAIN) -> str:
        return f"not ({self.parts[0].describe(names)})"

    def _placed(self, path: Path) -> Iterator[tuple[Condition, Path]]:
        yield self.parts[0], (*path, self.kind)
