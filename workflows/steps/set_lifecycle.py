"""Bring the contact to a lifecycle stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from services import lifecycle
from services.record import LifecycleStage
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class SetLifecycle(Step):
    """An automation never takes anybody back: who has come further passes by the step (LIFECYCLE_BACKWARD)."""

    stage: LifecycleStage

    examples: ClassVar = ({"stage": "CUSTOMER"},)

    async def apply(self, batch: Batch) -> None:
        batch.settle(await lifecycle.advance(batch.contacts, self.stage.value, by=batch.caller))

    def describe(self) -> str:
        return f"Set the lifecycle stage to {self.stage.value}"
