"""Put the contact on a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import ListId
from services import memberships
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class Subscribe(Step):
    """Who left the list, or all lists, by themselves are skipped; who is active on it already passes as `noop`."""

    list_id: ListId

    examples: ClassVar = ({"listId": "list_1"},)

    async def apply(self, batch: Batch) -> None:
        batch.settle(await memberships.join(batch.contacts, self.list_id, by=batch.caller, respect_unsubscribed=True))

    def describe(self) -> str:
        return "Subscribe to a list"
