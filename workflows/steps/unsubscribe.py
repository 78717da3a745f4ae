"""Take the contact off a list, or off all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import ListId
from services import memberships
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class Unsubscribe(Step):
    """Without `listId`: from every list. Who is on none passes as `noop`."""

    list_id: ListId | None = None

    examples: ClassVar = ({"listId": "list_1"}, {})

    async def apply(self, batch: Batch) -> None:
        batch.settle(await memberships.leave(batch.contacts, self.list_id, by=batch.caller))

    def describe(self) -> str:
        return "Unsubscribe from all lists" if self.list_id is None else "Unsubscribe from a list"
