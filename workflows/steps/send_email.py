"""Send the contact an e-mail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from kit.card import Length, ListId, MessageId
from kit.errors import Problem, not_found
from services import mail_consent, messages
from services.messages import BODY_LENGTH_MAX, SUBJECT_LENGTH_MAX
from workflows import sending
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class SendEmail(Step):
    """A message by its id, or `subject` and `body` (HTML, MJML or plain text), both with Liquid: {{ first_name }}.

    It goes to who is ACTIVE on the list, or on any list if none is named. Who is not is skipped, with the reason. The
    step is completed when the e-mail is queued; whether it went out is told by `delivery` on the path.
    """

    message_id: MessageId | None = None
    subject: Annotated[str, Length(SUBJECT_LENGTH_MAX)] | None = None
    body: Annotated[str, Length(BODY_LENGTH_MAX, lines=True)] | None = None
    list_id: ListId | None = None

    examples: ClassVar = (
        {"subject": "Welcome, {{ first_name }}", "body": "<p>Good to have you.</p>"},
        {"subject": "News", "body": "What is new.", "listId": "list_1"},
    )

    async def apply(self, batch: Batch) -> None:
        lists = [] if self.list_id is None else [self.list_id]
        refused = await mail_consent.refused(batch.contacts, "EMAIL", lists)
        for reason in set(refused.values()):
            batch.skip([run for run in batch.runs if refused.get(run.contact_id) == reason], reason)
        message_id = await self._message(batch)
        may = [run for run in batch.runs if run.contact_id not in refused]
        await sending.queue(batch, may, "EMAIL", message_id=message_id, list_ids=lists)

    async def _message(self, batch: Batch) -> int:
        if self.message_id is None:
            return await messages.inline("EMAIL", subject=self.subject, body=self.body, by=batch.caller)
        if await messages.channel_of(self.message_id) != "EMAIL":
            raise not_found("message", "messageId")
        return self.message_id

    def faults(self) -> Iterator[Problem]:
        """A message or words of its own, never both, and words without fault."""
        if self.message_id is not None:
            for key in ("subject", "body"):
                if getattr(self, key) is not None:
                    yield Problem("INVALID_VALUE", "Give a message or its words, not both.", (key,))
            return
        for key in ("subject", "body"):
            if getattr(self, key) is None:
                yield Problem("REQUIRED", "Give messageId, or subject and body.", (key,))
        yield from messages.faults("EMAIL", subject=self.subject, body=self.body)

    def describe(self) -> str:
        return f"Send e-mail: {self.subject}"[:200] if self.subject else "Send e-mail"
