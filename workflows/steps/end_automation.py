"""End this automation for the contact, or others that the contact is in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from kit.card import AutomationId
from kit.sql import Sql
from workflows import entry
from workflows.batch import NOOP_DETAIL, Batch
from workflows.step import Step

ENDED = "ENDED_BY_AUTOMATION"


class WhichAutomation(Enum):
    """THIS run, or all the contact's runs in OTHERS."""

    THIS = "THIS"
    OTHERS = "OTHERS"


@dataclass(frozen=True)
class EndAutomation(Step):
    """Either one automation by its id, or THIS run, or everything the contact is in besides (OTHERS).

    Who has no active run there passes as `noop`.
    """

    automation_id: AutomationId | None = None
    which: WhichAutomation | None = None

    choose: ClassVar[str] = "one"
    examples: ClassVar = ({"automationId": "automation_1"}, {"which": "THIS"}, {"which": "OTHERS"})

    async def apply(self, batch: Batch) -> None:
        if self.which is WhichAutomation.THIS or self.automation_id == batch.automation_id:
            batch.end(ENDED)
            return
        there = (
            Sql("r.automation_id <> {own}::bigint", own=batch.automation_id)
            if self.automation_id is None
            else Sql("r.automation_id = {other}::bigint", other=self.automation_id)
        )
        ended = await entry.end_where(
            Sql(
                "{there} AND r.contact_id = ANY({ids}::bigint[])",
                there=there,
                ids=[run.contact_id for run in batch.runs],
            ),
            by=batch.caller,
            reason=ENDED,
            visit_reason=ENDED,
        )
        left = set(ended.values())
        batch.complete([run for run in batch.runs if run.contact_id in left])
        batch.complete([run for run in batch.runs if run.contact_id not in left], detail=NOOP_DETAIL)

    def describe(self) -> str:
        if self.which is WhichAutomation.THIS:
            return "End this automation"
        return "End another automation" if self.which is None else "End all other automations"
