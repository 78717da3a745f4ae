"""Merging two contacts: see what would come of it, do it, and take it back."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry
from strawberry.types import Info

from kit.errors import invalid, not_found
from schema.access import Role, reader
from schema.enums.contacts import MergeSide
from schema.mutation import Given, mutation
from schema.projection.selection import arguments_of
from schema.types.contact import Contact
from schema.types.merge import ContactMerge, MergeCounts, MergedValue, MergePreview
from services import merging, unmerging
from services.caller import Caller

_COUNTS = {
    "tags": "contact_tag",
    "memberships": "membership",
    "runs": "run",
    "tasks": "task",
    "notes": "note",
    "submissions": "form_submission",
    "orders": "shop_order",
    "donations": "donation",
    "plan_memberships": "plan_membership",
    "reviews": "review",
    "activity": "event",
}


@strawberry.input(description="Whose value is taken in one field, also where that is none.")
class MergeChoiceInput:
    field: str = strawberry.field(
        description="email, phone, firstName, lastName, jobTitle, company, timezone, lifecycleStage, externalId, "
        "customerAccount or the name of a custom field."
    )
    from_: MergeSide = strawberry.field(name="from")


@strawberry.input(
    description="In fields that are not chosen the kept contact's value stays, and the other's is taken where it has "
    "none; the further lifecycle stage wins. Who left a list, or refuses marketing, as one of the two does so as both."
)
class MergeContactsInput:
    keep_id: strawberry.ID = strawberry.field(description="The contact that stays, with its id.")
    merge_id: strawberry.ID = strawberry.field(description="The contact that it takes in; its id disappears.")
    choose: list[MergeChoiceInput] | None = strawberry.UNSET
    confirm: bool = strawberry.field(description="Must be true.")


@strawberry.input(description="One of the two.")
class UnmergeContactsInput:
    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The merge.")
    contact_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The id of the contact that went."
    )


def _choices(given: Mapping) -> list[Mapping[str, str]]:
    return list(given.get("choose") or [])


@strawberry.type
class Query:
    @strawberry.field(description="What `mergeContacts` would do; nothing changes.")
    async def merge_preview(
        self,
        info: Info,
        keep_id: strawberry.ID,
        merge_id: strawberry.ID,
        choose: list[MergeChoiceInput] | None = None,
    ) -> MergePreview:
        reader(info)
        given = Given(arguments_of(info._raw_info))
        keep, other = given.id("keepId", "contact"), given.id("mergeId", "contact")
        found = await merging.preview(keep, other, _choices(given))
        return MergePreview(
            values=[
                MergedValue(field=each.name, kept=each.kept, merged=each.merged, taken=each.taken, result=each.result)
                for each in found.plan.values
            ],
            counts=MergeCounts(**{name: found.counts[table] for name, table in _COUNTS.items()}),
            lists_in_common=len(found.plan.both),
            lists_tightened=len(found.plan.tightened),
        )


@strawberry.type
class Mutation:
    @mutation(
        MergeContactsInput,
        role=Role.ADMIN,
        description="Make one contact of two. No trigger fires. It can be taken back for thirty days.",
        contact=Contact,
        merge=ContactMerge,
    )
    async def merge_contacts(given: Given, by: Caller) -> dict:
        keep, other = given.id("keepId", "contact"), given.id("mergeId", "contact")
        if not given["confirm"]:
            raise invalid("CONFIRMATION_REQUIRED", "Set confirm to true: one of the two contacts goes.", "confirm")
        return {"contact": keep, "merge": await merging.merge(keep, other, _choices(given), by=by)}

    @mutation(
        UnmergeContactsInput,
        role=Role.ADMIN,
        description="Bring back a contact that was merged, with its id and what was its own. What happened since stays "
        "with the other.",
        contact=Contact,
        merge=ContactMerge,
    )
    async def unmerge_contacts(given: Given, by: Caller) -> dict:
        if (given.get("id") is None) == (given.get("contactId") is None):
            raise invalid("REQUIRED", "Give either the merge or the contact that went.", "id")
        if given.get("id") is not None:
            merge = given.id("id", "merge")
        else:
            found = await unmerging.find_by_contact(given.id("contactId", "contact"))
            if found is None:
                raise not_found("merge", "contactId")
            merge = found
        return {"contact": await unmerging.unmerge(merge, by=by), "merge": merge}
