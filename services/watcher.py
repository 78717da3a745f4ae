"""What is watched: rules of one kind, and what is to be done when contacts come into them and leave them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import ClassVar

from kit import registry
from kit.sql import Sql
from services.caller import Caller


class Watcher(ABC):
    """One kind of rule that is watched: a file in services/watchers/, whose name is the kind.

    `entered` and `left` are given sets, in the transaction that writes down who is a member: what they do happens
    exactly once for every coming and going, and a contact's are told in their order.
    """

    kind: ClassVar[str]
    retroactive: ClassVar[bool] = False  # whoever meets a rule when its watch begins comes in, too

    @abstractmethod
    def wanted(self) -> Sql:
        """Selects `subject_id` and `rule` (a ConditionInput, jsonb) of everything of this kind to be watched now."""

    @abstractmethod
    async def entered(self, pairs: Sql, *, by: Caller) -> None:
        """Contacts meet rules from now on. `pairs` selects `watch_id, subject_id, contact_id`."""

    async def looked(self, contacts: Sql, *, by: Caller) -> None:
        """What else is to be put right where these contacts were looked at, whatever became of them; column `id`."""
        return

    @abstractmethod
    async def left(self, pairs: Sql, *, by: Caller) -> None:
        """Contacts meet rules no more; those that are deleted, and rules that are, are not told of."""


@cache
def kinds() -> dict[str, Watcher]:
    """Every kind that is watched."""
    from services import watchers

    return {kind: card() for kind, card in registry.cards(watchers, Watcher).items()}  # type: ignore[type-abstract]
