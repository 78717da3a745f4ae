"""The contact sent a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import FormId
from kit.sql import Sql
from workflows.trigger import Trigger


@dataclass(frozen=True)
class FormSubmitted(Trigger):
    """Each time a submission is taken in; without `formId`, of any form."""

    form_id: FormId | None = None

    examples: ClassVar = ({"formId": "form_1"}, {})
    fact: ClassVar[str] = "FORM_SUBMITTED"
    label: ClassVar[Sql] = Sql("'Sent the form ' || (e.data ->> 'form')")

    def subject(self, names: dict[tuple[str, str], int]) -> int | None:
        return self.form_id
