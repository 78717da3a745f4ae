"""Tell somebody of the team by e-mail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from kit import email as addresses
from kit.card import Length, Text, UserId
from kit.email import ADDRESS_LENGTH_MAX
from kit.errors import Problem
from services import messages
from services.messages import SUBJECT_LENGTH_MAX
from workflows import sending
from workflows.batch import Batch
from workflows.step import Step

SUBJECT = "{{ full_name | default: email | default: phone }}"


@dataclass(frozen=True)
class Notify(Step):
    """A user, or any address. The text can name the contact: {{ full_name }}, {{ email }}, {{ fields.city }}."""

    text: Text
    user_id: UserId | None = None
    email: Annotated[str, Length(ADDRESS_LENGTH_MAX)] | None = None
    subject: Annotated[str, Length(SUBJECT_LENGTH_MAX)] | None = None

    examples: ClassVar = (
        {"email": "team@parcours.test", "text": "{{ full_name }} wants to be called."},
        {"email": "team@parcours.test", "subject": "A lead", "text": "Look at {{ email }}."},
    )

    async def apply(self, batch: Batch) -> None:
        message_id = await messages.inline("EMAIL", subject=self.subject or SUBJECT, body=self.text, by=batch.caller)
        content = {"userId": self.user_id} if self.user_id is not None else {"to": self.email}
        await sending.queue(batch, list(batch.runs), "EMAIL", message_id=message_id, content=content, origin="NOTICE")

    def faults(self) -> Iterator[Problem]:
        """One who is told, at an address that can be one, in words without fault."""
        if (self.user_id is None) == (self.email is None):
            yield Problem("REQUIRED", "Give userId or email, one of them.", ("userId",))
        if self.email is not None and addresses.normalise(self.email) is None:
            yield Problem("EMAIL_INVALID", "This is not an e-mail address we can send to.", ("email",))
        for problem in messages.faults("EMAIL", subject=self.subject, body=self.text):
            yield Problem(
                problem.code, problem.message, tuple({"body": "text"}.get(each, each) for each in problem.path)
            )

    def describe(self) -> str:
        return f"Tell {self.email}" if self.email else "Tell a user"
