"""Let the contact into an automation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import AutomationId
from services.form_action import FormAction


@dataclass(frozen=True)
class StartAutomation(FormAction):
    """As its entry policy allows; nobody enters an automation that is not active."""

    automation_id: AutomationId

    examples: ClassVar = ({"automationId": "automation_1"},)

    def starts(self) -> int:
        return self.automation_id
