"""The contact left a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import ListId
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class ListUnsubscribed(Trigger):
    """A membership became UNSUBSCRIBED, by the contact, a user or a step; without `listId`, on any list."""

    list_id: ListId | None = None

    examples: ClassVar = ({"listId": "list_1"}, {})
    fact: ClassVar[str] = "LIST_UNSUBSCRIBED"
    label: ClassVar[Sql] = Sql("'Unsubscribed from ' || (e.data ->> 'list')")

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        return self.list_id
