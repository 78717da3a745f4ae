"""Bulk edits: the same for a whole set of contacts, as a job."""

from __future__ import annotations

import strawberry

from schema.access import Role
from schema.cards import ConditionInput
from schema.contacts import FieldValueInput
from schema.enums.contacts import LifecycleStage
from schema.mutation import Given, mutation
from schema.types.job import Job
from services.caller import Caller
from workflows import bulk

_NAMES = {
    "where": "where",
    "setFields": "set_fields",
    "setLifecycle": "set_lifecycle",
    "addTags": "add_tags",
    "removeTags": "remove_tags",
}
_REFERENCES = {
    "ids": ("ids", "contact"),
    "addToLists": ("add_to_lists", "list"),
    "unsubscribeFrom": ("unsubscribe_from", "list"),
    "enterAutomations": ("enter_automations", "automation"),
    "endAutomations": ("end_automations", "automation"),
}


@strawberry.input(
    description="Whom it is about (exactly one of `ids`, `where`, `segmentId`) and what is to be done, at least one "
    "thing. Who is in the set is fixed when the job begins."
)
class BulkEditInput:
    ids: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description="Up to 10,000.")
    where: ConditionInput | None = strawberry.UNSET
    segment_id: strawberry.ID | None = strawberry.UNSET
    set_fields: list[FieldValueInput] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Custom fields, and email, phone, firstName, lastName, jobTitle, company; null clears.",
    )
    set_lifecycle: LifecycleStage | None = strawberry.field(
        default=strawberry.UNSET, description="Only forward; who has come further is refused LIFECYCLE_BACKWARD."
    )
    add_tags: list[str] | None = strawberry.field(default=strawberry.UNSET, description="By name; created if unknown.")
    remove_tags: list[str] | None = strawberry.UNSET
    add_to_lists: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="Who has left a list is not brought back: NOT_REACTIVATED."
    )
    unsubscribe_from: list[strawberry.ID] | None = strawberry.UNSET
    enter_automations: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="Active ones, as their entry policies allow."
    )
    end_automations: list[strawberry.ID] | None = strawberry.UNSET


def _values(given: Given) -> dict:
    values = given.named(**_NAMES)
    for outside, (inside, kind) in _REFERENCES.items():
        if given.get(outside) is not None:
            values[inside] = given.ids(outside, kind)
    values["segment_id"] = given.id_or_none("segmentId", "segment")
    return values


@strawberry.type
class Mutation:
    @mutation(
        BulkEditInput,
        role=Role.MEMBER,
        description="Do the same to many contacts. What single ones are refused holds up nobody else; nothing is"
        " deleted.",
        job=Job,
    )
    async def bulk_edit(given: Given, by: Caller) -> dict:
        return {"job": await bulk.start(_values(given), by=by)}
