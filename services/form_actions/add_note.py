"""Leave a note on the contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import Text
from services import notes
from services.caller import Caller
from services.form_action import FormAction, Sent


@dataclass(frozen=True)
class AddNote(FormAction):
    text: Text

    examples: ClassVar = ({"text": "Asked for the brochure."},)

    async def apply(self, sent: Sent, *, by: Caller) -> None:
        await notes.add(sent.contacts, self.text, by=by)
