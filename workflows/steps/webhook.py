"""Tell another server about the contact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from kit.card import Length, Text
from kit.errors import Problem
from kit.web import web_address
from segments.reading import Reading
from services import messages
from services.channels import http
from workflows import sending
from workflows.batch import Batch
from workflows.step import Step

URL_LENGTH_MAX = 2_000


@dataclass(frozen=True)
class Webhook(Step):
    """A signed POST of JSON, at least once, always under the same `webhook-id`, to public addresses alone.

    `body` is JSON with Liquid: {"city": {{ fields.city | json }}}. Without one, what is known of the contact is told.
    """

    url: Annotated[str, Length(URL_LENGTH_MAX)]
    body: Text | None = None

    examples: ClassVar = (
        {"url": "https://hooks.example.org/in"},
        {"url": "https://hooks.example.org/in", "body": '{"email": {{ email | json }}}'},
    )

    async def apply(self, batch: Batch) -> None:
        message_id = await messages.inline("WEBHOOK", body=self.body, url=self.url, by=batch.caller)
        await sending.queue(batch, list(batch.runs), "WEBHOOK", message_id=message_id)

    def faults(self) -> Iterator[Problem]:
        """An address of the web, and a body without fault."""
        if not web_address(self.url):
            yield Problem("INVALID_VALUE", "Give an address such as https://hooks.example.org/in.", ("url",))
        yield from messages.faults("WEBHOOK", subject=None, body=self.body)

    def problems(self, reading: Reading) -> Iterator[Problem]:
        # Asked when it is drawn, not of what is stored: an operator may forbid it while contacts are inside.
        if web_address(self.url) and (fault := http.fault_at_sight(self.url)):
            yield fault.below("url")

    def describe(self) -> str:
        return f"Webhook {self.url}"[:200]
