"""Notes: what is worth remembering about a contact."""

from __future__ import annotations

import strawberry

from schema.access import Role
from schema.mutation import Given, mutation
from schema.types.task import Note
from services import notes
from services.caller import Caller


@strawberry.input(description="A text on a contact's record, never seen by the contact.")
class CreateNoteInput:
    contact_id: strawberry.ID
    text: str


@strawberry.type
class Mutation:
    @mutation(CreateNoteInput, role=Role.MEMBER, description="Write a note on a contact.", note=Note)
    async def create_note(given: Given, by: Caller) -> dict:
        contact = given.id("contactId", "contact")
        return {"note": await notes.create(contact, given["text"], by=by)}
