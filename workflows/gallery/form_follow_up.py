"""Take up what people send by a form: tag them, thank them, and have somebody answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from kit import ids
from kit.card import FormId, Name, Range, TagName, UserId
from workflows.template import Template, step

DAYS_MAX = 365


@dataclass(frozen=True)
class FormFollowUp(Template):
    """Every time the form is sent; without a form, any. Who answers has `days` days."""

    title: ClassVar[str] = "Answer a form"
    examples: ClassVar = ({}, {"formId": "form_1", "tag": "enquiry", "assigneeId": "user_1", "days": 2})

    form_id: FormId | None = None
    tag: TagName = "enquiry"
    task: Name = "Answer the form"
    assignee_id: UserId | None = None
    days: Annotated[int, Range(least=0, most=DAYS_MAX)] = 1

    def drawn(self) -> dict[str, Any]:
        form = {} if self.form_id is None else {"formId": ids.give("form", self.form_id)}
        assignee = {} if self.assignee_id is None else {"assigneeId": ids.give("user", self.assignee_id)}
        return {
            "triggers": [{"on": {"formSubmitted": form}}],
            "steps": [
                step("tag", {"addTag": {"tag": self.tag}}, "answer"),
                step("answer", {"addTask": {"title": self.task, "dueIn": {"days": self.days}, **assignee}}),
            ],
        }
