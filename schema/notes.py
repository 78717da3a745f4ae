"""Notes: what is worth remembering about a contact."""

from __future__ import annotations

import strawberry

from schema.access import Role
from schema.mutation import Given, mutation
from schema.types.run import AutomationRun
from schema.types.task import Note
from services import notes
from services.caller import Caller
from workflows import follow_up


@strawberry.input(description="A text on a contact's record, never seen by the contact.")
class CreateNoteInput:
    contact_id: strawberry.ID
    text: str
    automation_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The contact enters this active automation at once."
    )


@strawberry.input(description="What a note says from now on; its author stays.")
class UpdateNoteInput:
    id: strawberry.ID
    text: str


@strawberry.input(description="A note to delete.")
class DeleteNoteInput:
    id: strawberry.ID
    confirm: bool = strawberry.field(description="Must be true: it cannot be undone.")


@strawberry.type
class Mutation:
    @mutation(
        CreateNoteInput,
        role=Role.MEMBER,
        description="Write a note on a contact. With an automation: no note where that is not active.",
        note=Note,
        run=AutomationRun,
    )
    async def create_note(given: Given, by: Caller) -> dict:
        contact, automation = given.id("contactId", "contact"), given.id_or_none("automationId", "automation")
        done = await follow_up.create_note(contact, given["text"], automation, by=by)
        return {"note": done.saved, "run": done.run}

    @mutation(UpdateNoteInput, role=Role.MEMBER, description="Rewrite a note.", note=Note)
    async def update_note(given: Given, by: Caller) -> dict:
        note = given.id("id", "note")
        await notes.update(note, given["text"], by=by)
        return {"note": note}

    @mutation(DeleteNoteInput, role=Role.MEMBER, description="Delete a note for good.", note=Note)
    async def delete_note(given: Given, by: Caller) -> dict:
        note = given.id("id", "note")
        given.confirmed()
        # The answer shows the note as it was, so it is made first.
        return {"note": note, "afterwards": lambda: notes.delete(note, by=by)}
