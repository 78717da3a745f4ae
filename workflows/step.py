"""A step is one class in one file: what happens to all the contacts that stand at a place of an automation.

A card has its parameters as a dataclass, `describe()` for its label, examples, and `apply(batch)`, which says for every
run of its group what became of it: `batch.complete()`, `skip`, `fail`, `wait`, `go` or `end`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from kit import card, registry
from kit.errors import Problem
from kit.shape import camel

if TYPE_CHECKING:
    from segments.reading import Reading
    from workflows.batch import Batch


class Step(ABC):
    """What every kind of step is made of."""

    kind: ClassVar[str] = ""  # the file name, e.g. add_tag
    branches: ClassVar[tuple[str, ...]] = ()  # names of the ways out, where there is more than `next`
    examples: ClassVar[tuple[dict[str, Any], ...]]  # parameters as the API takes them
    goes_on: ClassVar[bool] = True  # False: `next` is never followed

    @abstractmethod
    async def apply(self, batch: Batch) -> None:
        """Act on the whole group in a constant number of statements and say what became of each run.

        Called on arrival, and again whenever a wait falls due or is woken: so it looks at what is true now, never at
        how often it was asked. A contact is in a group once. What it raises rolls its changes back, and the group is
        tried again in halves until the faulty run stands alone.
        """

    @abstractmethod
    def describe(self) -> str:
        """The label of a step that its designer gave none."""

    def ways_out(self) -> tuple[str, ...]:
        """The names of its branches, where they depend on the parameters."""
        return self.branches

    def remembers(self) -> bool:
        """Whether it must be told (Run.passed) that a run was here before, and until when."""
        return False

    def rests(self) -> bool:
        """Whether contacts rest here, so that a circle through this step is not endless."""
        return False

    def jump(self) -> str | None:
        """The step this one leads to by itself, beside `next` and branches."""
        return None

    def problems(self, reading: Reading) -> Iterable[Problem]:
        """What is wrong with the parameters in this account, e.g. a rule about an unknown field; paths below them."""
        return ()

    @classmethod
    def word(cls) -> str:
        """The kind as it is stored and shown: ADD_TAG."""
        return cls.kind.upper()


@cache
def kinds() -> dict[str, type[Step]]:
    """Every kind of step by its file name."""
    from workflows import steps

    return registry.cards(steps, Step)  # type: ignore[type-abstract]


def read(do: Any, path: tuple[str, ...] = ()) -> Step:
    """The step of `{"addTag": {"tag": "vip"}}`. Refused (Invalid): none or several members, faulty parameters."""
    return card.member(do, {camel(kind): cls for kind, cls in kinds().items()}, path)
