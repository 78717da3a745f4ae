"""Give the contact a tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import TagName
from services import tags
from services.caller import Caller
from services.form_action import FormAction, Sent


@dataclass(frozen=True)
class AddTag(FormAction):
    tag: TagName

    examples: ClassVar = ({"tag": "vip"},)

    async def apply(self, sent: Sent, *, by: Caller) -> None:
        await tags.give(sent.contacts, [self.tag], by=by)
