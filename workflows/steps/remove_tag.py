"""Take a tag from the contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import TagName
from services import tags
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class RemoveTag(Step):
    """The tag itself stays. Who does not have it passes as `noop`; when it was deleted, the step fails
    (MISSING_REFERENCE)."""

    tag: TagName

    examples: ClassVar = ({"tag": "vip"},)

    async def apply(self, batch: Batch) -> None:
        batch.settle(await tags.take(batch.contacts, [self.tag], by=batch.caller, known=True))

    def describe(self) -> str:
        return f"Remove tag {self.tag}"
