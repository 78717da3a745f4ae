"""A form action is one class in one file: what happens to whoever sends a form."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

from kit import card, registry
from kit.shape import camel
from kit.sql import Sql, ids
from services.caller import Caller


@dataclass(slots=True)
class Sent:
    """A form that somebody sent, while its actions run."""

    contact_id: int
    double_opt_in: bool
    lists: list[int] = field(default_factory=list)  # that it was to join

    @property
    def contacts(self) -> Sql:
        """The contact as a set, for verbs."""
        return ids([self.contact_id])


class FormAction(ABC):
    """What every kind of form action is made of."""

    kind: ClassVar[str] = ""  # the file name, e.g. add_tag
    examples: ClassVar[tuple[dict[str, Any], ...]]  # parameters as the API takes them
    needs_consent: ClassVar[bool] = False  # where the form has a box, only done when it was ticked

    async def apply(self, sent: Sent, *, by: Caller) -> None:
        """Act on the contact; `by` is the contact itself. What it raises undoes this action and no other."""
        return

    def starts(self) -> int | None:
        """The automation that the contact is to enter, once everything is stored."""
        return None

    def tells(self) -> int | None:
        """The user who is to be told by e-mail."""
        return None


@cache
def kinds() -> dict[str, type[FormAction]]:
    """Every kind of form action by its file name."""
    from services import form_actions

    return registry.cards(form_actions, FormAction)


def read(given: Any, path: tuple[str, ...] = ()) -> FormAction:
    """The action of `{"addTag": {"tag": "vip"}}`. Refused (Invalid): none or several members, faulty parameters."""
    return card.member(given, {camel(kind): cls for kind, cls in kinds().items()}, path)
