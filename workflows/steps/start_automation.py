"""Let the contact into another automation."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar

from kit.card import AutomationId
from kit.errors import Conflict
from workflows import entry
from workflows.batch import Batch, Run
from workflows.step import Step

DEPTH_MAX = 20  # automations that start each other (domain 2.13)


@dataclass(frozen=True)
class StartAutomation(Step):
    """Skipped where the other one is inactive (TARGET_INACTIVE) or does not let the contact in (ENTRY_NOT_ALLOWED).

    A chain of more than 20 automations that start each other ends with an error.
    """

    automation_id: AutomationId

    examples: ClassVar = ({"automationId": "automation_1"},)

    async def apply(self, batch: Batch) -> None:
        by_depth: dict[int, list[Run]] = defaultdict(list)
        for run in batch.runs:
            by_depth[run.depth].append(run)
        for depth, runs in by_depth.items():
            if depth >= DEPTH_MAX:
                batch.end("ERROR", runs, failed="CHAIN_TOO_DEEP")
            else:
                await self._start(batch, runs, depth + 1)

    async def _start(self, batch: Batch, runs: list[Run], depth: int) -> None:
        try:
            entered = await entry.enter(
                batch.contacts_of(runs),
                self.automation_id,
                by=batch.caller_at(depth),
                label=f"Started by {batch.automation_name}",
                via="AUTOMATION",
            )
        except Conflict:
            batch.skip(runs, "TARGET_INACTIVE")
            return
        reason_of = {contact: code for code, contacts in entered.refused.items() for contact in contacts}
        for run in runs:
            if run.contact_id in reason_of:
                batch.skip([run], reason_of[run.contact_id])
            else:
                batch.complete([run])

    def describe(self) -> str:
        return "Start another automation"
