"""A trigger is one class in one file: which facts about contacts let them into an automation.

A card has its parameters as a dataclass and says in SQL over `e` (event) and `g` (trigger) which facts it answers and
how an entry by it is called, so that a batch of facts meets all triggers in one statement.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, ClassVar

from kit import card, registry
from kit.card import Path, Reads
from kit.errors import Problem
from kit.shape import camel
from kit.sql import TRUE, Sql
from segments.reading import Reading
from segments.rule import Rule

TRIGGERS_MAX = 50


class Trigger(ABC):
    """What every kind of trigger is made of."""

    kind: ClassVar[str] = ""  # the file name, e.g. tag_added
    examples: ClassVar[tuple[dict[str, Any], ...]]  # parameters as the API takes them
    fact: ClassVar[str]  # the kind of event that wakes it
    match: ClassVar[Sql] = TRUE  # further demands on e, beside that g.subject is NULL or that of e
    label: ClassVar[Sql]  # how an entry by it is called, from e

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        """The list, tag or field it is about; None is any. `names` gives ("tag" or "field", name) its number."""
        return None

    def problems(self, reading: Reading, path: Path) -> Iterable[Problem]:
        """What is wrong with the parameters in this account, with paths below `path`."""
        return ()

    @classmethod
    def word(cls) -> str:
        """The kind as it is stored and shown: TAG_ADDED."""
        return cls.kind.upper()


@cache
def kinds() -> dict[str, type[Trigger]]:
    """Every kind of trigger by its file name."""
    from workflows import triggers

    return registry.cards(triggers, Trigger)


def read(on: Any, path: tuple[str, ...] = ()) -> Trigger:
    """The trigger of `{"tagAdded": {"tag": "vip"}}`. Refused (Invalid): none or several members, faulty parameters."""
    return card.member(on, {camel(kind): cls for kind, cls in kinds().items()}, path)


class TriggerRuns(Enum):
    """How often a contact may enter by this trigger."""

    ONCE = "ONCE"
    MULTIPLE = "MULTIPLE"


@dataclass(frozen=True)
class DrawnTrigger:
    """What lets contacts in: the event, and which contacts it counts for. One that is not enabled lets nobody in."""

    on: Annotated[Trigger, Reads(read, "TriggerEventInput")]
    where: Rule | None = None
    runs: TriggerRuns = TriggerRuns.MULTIPLE
    enabled: bool = True
