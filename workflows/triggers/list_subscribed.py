"""The contact became active on a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import ListId
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class ListSubscribed(Trigger):
    """A membership became ACTIVE; without `listId`, on any list."""

    list_id: ListId | None = None

    examples: ClassVar = ({"listId": "list_1"}, {})
    fact: ClassVar[str] = "LIST_SUBSCRIBED"
    label: ClassVar[Sql] = Sql("'Subscribed to ' || (e.data ->> 'list')")

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        return self.list_id
