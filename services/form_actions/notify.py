"""Tell somebody of the team by e-mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import UserId
from services.form_action import FormAction


@dataclass(frozen=True)
class Notify(FormAction):
    """When mail is configured; the submission stands in the contact's activity anyway."""

    user_id: UserId

    examples: ClassVar = ({"userId": "user_1"},)

    def tells(self) -> int:
        return self.user_id
