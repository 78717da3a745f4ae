"""Lead the contact to another step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import StepKey
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class GoTo(Step):
    """Back or forward; a circle needs a wait in it. What is visited again is visited anew."""

    step: StepKey

    goes_on: ClassVar[bool] = False
    examples: ClassVar = ({"step": "first"},)

    async def apply(self, batch: Batch) -> None:
        batch.go(self.step)

    def jump(self) -> str | None:
        return self.step

    def describe(self) -> str:
        return f"Go to {self.step}"
