"""Give the contact a tag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import TagName
from services import tags
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class AddTag(Step):
    """The tag is made with the automation, if there is none of this name. Who has it already passes as `noop`; when it
    was deleted since, the step fails (MISSING_REFERENCE)."""

    tag: TagName

    examples: ClassVar = ({"tag": "vip"},)

    async def apply(self, batch: Batch) -> None:
        batch.settle(await tags.give(batch.contacts, [self.tag], by=batch.caller, make=False))

    def describe(self) -> str:
        return f"Add tag {self.tag}"
