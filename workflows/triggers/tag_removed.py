"""The contact lost a tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import TagName
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class TagRemoved(Trigger):
    """A tag the contact had; without `tag`, any."""

    tag: TagName | None = None

    examples: ClassVar = ({"tag": "vip"}, {})
    fact: ClassVar[str] = "TAG_REMOVED"
    label: ClassVar[Sql] = Sql("'Lost the tag ' || (e.data ->> 'tag')")

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        return None if self.tag is None else names["tag", self.tag]
