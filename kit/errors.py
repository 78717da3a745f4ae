"""What can be refused, as one small tree: a refusal is data with a code, a sentence and a path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason for a refusal.

    `code` is a machine word in capitals, `message` one sentence that says what to do, `path` the way to
    the faulty input in the caller's own spelling, e.g. `("fieldValues", "0", "value")`.
    """

    code: str
    message: str
    path: tuple[str, ...] = ()

    def below(self, *prefix: str) -> Problem:
        """The same problem seen from further out: `prefix` stands before its path."""
        return replace(self, path=(*prefix, *self.path))


class Refused(Exception):
    """Something that a caller asked for and may not have. Nothing was changed."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{p.code} at {'.'.join(p.path)}: {p.message}" for p in problems))
        self.problems = problems

    def below(self, *prefix: str) -> Refused:
        return type(self)(*(problem.below(*prefix) for problem in self.problems))


class Invalid(Refused):
    """Faulty input; `problems` holds every fault, not only the first."""


class NotFound(Refused):
    """The thing named does not exist, or the caller may not know of it."""


class NotAllowed(Refused):
    """A known caller whose role may not do this."""


class Conflict(Refused):
    """The thing is there already, or its state forbids the change."""


class Limit(Refused):
    """A limit of the account or of the server is reached."""


def invalid(code: str, message: str, *path: str) -> Invalid:
    return Invalid(Problem(code, message, path))


def not_found(what: str, *path: str) -> NotFound:
    return NotFound(Problem("NOT_FOUND", f"This {what} does not exist.", path))


def conflict(code: str, message: str, *path: str) -> Conflict:
    return Conflict(Problem(code, message, path))


class Problems:
    """Collects faults, so that a caller hears of all of them at once."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def add(self, code: str, message: str, *path: str) -> None:
        self._found.append(Problem(code, message, path))

    def extend(self, problems: Iterable[Problem], *prefix: str) -> None:
        self._found.extend(problem.below(*prefix) for problem in problems)

    def refuse(self) -> None:
        """Raise `Invalid` with everything found; return if nothing was."""
        if self._found:
            raise Invalid(*self._found)
