"""Leave a note on the contact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from kit.card import Text
from services import notes
from workflows.batch import Batch
from workflows.step import Step


@dataclass(frozen=True)
class AddNote(Step):
    """The same text for everybody."""

    text: Text

    examples: ClassVar = ({"text": "Went through the welcome."},)

    async def apply(self, batch: Batch) -> None:
        run_ids = [run.id for run in batch.runs]
        batch.settle(await notes.add(batch.contacts, self.text, by=batch.caller, run_ids=run_ids))

    def describe(self) -> str:
        return "Add a note"
