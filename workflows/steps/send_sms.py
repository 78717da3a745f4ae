"""Send the contact a text message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from kit.card import Length, ListId
from kit.errors import Problem
from services import mail_consent, messages
from services.messages import SMS_LENGTH_MAX
from workflows import sending
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class SendSms(Step):
    """Liquid, as in e-mails. It goes to who is ACTIVE on the list of text messages, or on any of these."""

    text: Annotated[str, Length(SMS_LENGTH_MAX, lines=True)]
    list_id: ListId | None = None

    examples: ClassVar = ({"text": "Your table is ready, {{ first_name }}."}, {"text": "Hello", "listId": "list_1"})

    async def apply(self, batch: Batch) -> None:
        lists = [] if self.list_id is None else [self.list_id]
        refused = await mail_consent.refused(batch.contacts, "SMS", lists)
        for reason in set(refused.values()):
            batch.skip([run for run in batch.runs if refused.get(run.contact_id) == reason], reason)
        message_id = await messages.inline("SMS", body=self.text, by=batch.caller)
        may = [run for run in batch.runs if run.contact_id not in refused]
        await sending.queue(batch, may, "SMS", message_id=message_id, list_ids=lists)

    def faults(self) -> Iterator[Problem]:
        """What is wrong with the words."""
        for problem in messages.faults("SMS", subject=None, body=self.text):
            yield Problem(problem.code, problem.message, ("text",))

    def describe(self) -> str:
        return f"Send text: {self.text}"[:200]
