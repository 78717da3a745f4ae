"""End the automation for the contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import Name
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class End(Step):
    """`reason` is a remark for the reader of the path."""

    reason: Name | None = None

    goes_on: ClassVar[bool] = False
    examples: ClassVar = ({}, {"reason": "Not interested"})

    async def apply(self, batch: Batch) -> None:
        batch.end("END_ACTION", detail=None if self.reason is None else {"reason": self.reason})

    def describe(self) -> str:
        return "End" if self.reason is None else f"End: {self.reason}"
