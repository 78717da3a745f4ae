"""Greet new subscribers of a list, and write again a few days later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from kit import ids
from kit.card import ListId, Name, Range, TagName, Text
from workflows.template import Template, step

DAYS_MAX = 365


@dataclass(frozen=True)
class Welcome(Template):
    """Once for every contact. The second e-mail is left out where it has no subject."""

    title: ClassVar[str] = "Welcome series"
    examples: ClassVar = (
        {"listId": "list_1"},
        {"listId": "list_1", "secondSubject": "What we are best at", "secondBody": "Have a look.", "days": 5},
    )

    list_id: ListId
    subject: Name = "Welcome!"
    body: Text = "It is good to have you here."
    second_subject: Name | None = None
    second_body: Text = "Is there anything that we can do for you?"
    days: Annotated[int, Range(least=1, most=DAYS_MAX)] = 3
    tag: TagName = "welcomed"

    def drawn(self) -> dict[str, Any]:
        list_id = ids.give("list", self.list_id)
        hello = {"sendEmail": {"subject": self.subject, "body": self.body, "listId": list_id}}
        again = {"sendEmail": {"subject": self.second_subject, "body": self.second_body, "listId": list_id}}
        steps = [step("hello", hello, "tag")]
        if self.second_subject is None:
            steps.append(step("tag", {"addTag": {"tag": self.tag}}))
        else:
            steps += [
                step("tag", {"addTag": {"tag": self.tag}}, "wait"),
                step("wait", {"waitFor": {"duration": {"days": self.days}}}, "again"),
                step("again", again),
            ]
        return {
            "entry_policy": "ONCE",
            "exit_on_unsubscribe": True,
            "triggers": [{"on": {"listSubscribed": {"listId": list_id}}}],
            "steps": steps,
        }
