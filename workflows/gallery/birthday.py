"""Write to contacts on their birthday, every year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from kit.card import FieldName, Name, Range, Text
from workflows.template import Template, step


@dataclass(frozen=True)
class Birthday(Template):
    """`field` is a custom field of type DATE; `hour` is in the zone of the account."""

    title: ClassVar[str] = "Birthday greetings"
    examples: ClassVar = ({"field": "birthday"}, {"field": "birthday", "hour": 7, "subject": "For you"})

    field: FieldName
    subject: Name = "Happy birthday!"
    body: Text = "All the best from all of us."
    hour: Annotated[int, Range(least=0, most=23)] = 9

    def drawn(self) -> dict[str, Any]:
        return {
            "triggers": [{"on": {"dateReached": {"name": self.field, "hour": self.hour, "ignoreYear": True}}}],
            "steps": [step("greet", {"sendEmail": {"subject": self.subject, "body": self.body}})],
        }
