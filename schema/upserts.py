"""Many contacts at once, from another system."""

from __future__ import annotations

import strawberry

from schema.access import Role
from schema.contacts import NAMES, LocationInput, PersonFields, located
from schema.enums.contacts import UpsertStatus
from schema.mutation import Given, UserError, mutation
from services import upserts
from services.caller import Caller


@strawberry.input(
    description="Somebody, known by an external id, else by an e-mail address, else by a phone number."
    " What is absent or null stays."
)
class UpsertContactInput(PersonFields):
    tags: list[str] | None = strawberry.field(default=strawberry.UNSET, description="Are added; created if unknown.")
    location: LocationInput | None = strawberry.field(
        default=strawberry.UNSET, description="Of its parts, too, what is absent or null stays."
    )
    external_id: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Under which the other system knows the contact. Whoever has it is meant, and gets `email`.",
    )


@strawberry.input(description="Up to 10,000 people. Such a request may be 16 MB large.")
class UpsertContactsInput:
    contacts: list[UpsertContactInput]
    external_source: str | None = strawberry.field(
        default=strawberry.UNSET, description="The other system, whose ids the `externalId`s are."
    )
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The same call under the same key changes nothing and gets the same answer, for two days.",
    )


@strawberry.type(description="What came of one row.")
class UpsertResult:
    row: int = strawberry.field(description="Its place in `contacts`, from 0.")
    status: UpsertStatus
    contact_id: strawberry.ID | None
    errors: list[UserError] = strawberry.field(
        description="Why it was REFUSED; of one that was taken in, what of it was left out."
    )


@strawberry.type
class Mutation:
    @mutation(
        UpsertContactsInput,
        role=Role.MEMBER,
        description="Make these contacts, or bring them up to date. A faulty row holds up no other.",
        results=list[UpsertResult],
        created=int,
        updated=int,
        unchanged=int,
        refused=int,
    )
    async def upsert_contacts(given: Given, by: Caller) -> dict:
        rows = [located({NAMES[key]: value for key, value in row.items()}) for row in given["contacts"]]
        source = given.get("externalSource")
        results = await upserts.upsert(rows, external_source=source, key=given.get("idempotencyKey"), by=by)
        counts = {"created": 0, "updated": 0, "unchanged": 0, "refused": 0}
        for each in results:
            counts[each["status"].lower()] += 1
        return {"results": results, **counts}
