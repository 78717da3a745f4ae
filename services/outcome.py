"""What became of each contact of a set that something was to be done to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kit.errors import Conflict, NotFound, Problem

NOT_FOUND = "NOT_FOUND"


@dataclass(slots=True)
class Outcome:
    """Three piles: changed, already so, and refused by reason. Every contact asked for is in exactly one."""

    changed: set[int] = field(default_factory=set)
    unchanged: set[int] = field(default_factory=set)
    refused: dict[str, set[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Mapping[str, Any] | None, **refused: str) -> Outcome:
        """Read from a row with the arrays `changed`, `unchanged` and `missing` (NULL is empty).

        Each further `column=CODE` names an array of the row and the code its contacts are refused with.
        """
        row = row or {}
        outcome = cls(set(row.get("changed") or ()), set(row.get("unchanged") or ()))
        outcome.refuse(NOT_FOUND, row.get("missing") or ())
        for column, code in refused.items():
            outcome.refuse(code, row.get(column) or ())
        return outcome

    def refuse(self, code: str, contacts: Iterable[int]) -> None:
        found = set(contacts)
        if found:
            self.refused[code] = self.refused.get(code, set()) | found

    def require(self, message: str, *path: str) -> Outcome:
        """For a verb used on one contact: raise what was refused as `NotFound` or `Conflict` at `path`."""
        for code in self.refused:
            if code == NOT_FOUND:
                raise NotFound(Problem(code, "This contact does not exist.", path))
            raise Conflict(Problem(code, message, path))
        return self
