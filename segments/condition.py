"""What a condition is: something said about a contact that is true or false, as SQL and as a sentence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar

from kit import card, registry
from kit.card import Path, Reference
from kit.errors import Problem
from kit.shape import camel
from kit.sql import Sql, negation
from segments.names import PLAIN, Names
from segments.reading import Reading


class Condition(ABC):
    """One rule about a contact. Cards are frozen dataclasses of their parameters in segments/conditions/.

    It is two-valued: a contact matches either the condition or its `complement`, also where values are missing.
    """

    kind: ClassVar[str]
    null_says_nothing: ClassVar[bool] = False  # an empty box of a form must not widen a rule
    momentary: ClassVar[bool] = False  # says something of the moment it is asked in, nothing of the contact
    own: ClassVar[str] = "it has"  # before what is `shown` in a sentence
    examples: ClassVar[list[dict[str, Any]]]  # parameters as the API takes them, at least one of every sort

    @classmethod
    def key(cls) -> str:
        """Its name in the API's ConditionInput."""
        return camel(cls.kind)

    @abstractmethod
    def compile(self, reading: Reading) -> Sql:
        """A boolean expression over the contact alias `c`."""

    def finds(self, *, complement: bool = False) -> bool:
        """Whether there is an index to find the contacts by for whom it holds, or does not, and nobody else is read."""
        return False

    def complement(self, reading: Reading) -> Sql:
        """True for exactly the contacts for which `compile` is not."""
        return negation(self.compile(reading))

    @abstractmethod
    def describe(self, names: Names = PLAIN) -> str:
        """What completes "a contact …": `whose country is one of USA, Canada`; things by their `names`."""

    def shown(self, reading: Reading) -> Sql:
        """What the contact itself has of what the condition looks at: JSON (jsonb), an expression over `c`."""
        return Sql("NULL::jsonb")

    def sentence(self, matches: Sql, value: Sql, names: Names = PLAIN) -> Sql:
        """A sentence about the contact, as SQL over whether it matches and what is `shown` of it."""
        return Sql(
            """
            CASE WHEN {matches} THEN 'It is' ELSE 'It is not' END
                || {words}::text || coalesce('; ' || {own}::text || ' ' || in_words({value}), '')
            """,
            matches=matches,
            words=f" a contact {self.describe(names)}",
            own=self.own,
            value=value,
        )

    @property
    def counts(self) -> bool:
        """Whether it is asked of everybody in one go, before the first of them is known."""
        return False

    @property
    def depends_on_time(self) -> bool:
        """Whether time alone can change the answer."""
        return False

    def flips(self, reading: Reading) -> Sql | None:
        """When after `reading.now` time alone may change the answer: an instant over `c`, NULL where it never does.

        Never too late; sooner only costs a look. None: time changes it for nobody. Needed by what `depends_on_time`.
        """
        if self.depends_on_time:
            raise NotImplementedError(f"{type(self).__name__} does not say when time changes its answer")
        return None

    def problems(self, reading: Reading, path: Path) -> Iterator[Problem]:
        """What is wrong with it that only the account's fields and settings can tell, with paths below `path`."""
        yield from ()

    def references(self, path: Path = ()) -> Iterator[Reference]:
        """What it names that must exist; `path` is where the condition stands."""
        yield from card.references(self, (*path, self.key()))


@cache
def kinds() -> dict[str, type[Condition]]:
    """Every condition by its kind, which is its file's name."""
    import segments.conditions

    return registry.cards(segments.conditions, Condition)  # type: ignore[type-abstract]
