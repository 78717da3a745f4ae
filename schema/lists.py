"""Lists, and who is on them."""

from __future__ import annotations

from dataclasses import replace

import strawberry

from kit import sql
from kit.sql import Sql
from schema import paging
from schema.access import Role
from schema.cards import ConditionInput
from schema.enums.lists import Channel, ListKind, MembershipSource, MembershipStatus
from schema.mutation import Given, mutation
from schema.paged import paged
from schema.paging import Key
from schema.types.list import List, ListMembership
from services import lists, memberships
from services.caller import Caller

BY_NAME = (Key("name", Sql("lower(l.name)"), "text"), paging.by_id("l"))


@strawberry.input(description="A list has a name that no other has.")
class CreateListInput:
    name: str
    description: str | None = strawberry.UNSET
    channel: Channel = Channel.EMAIL
    double_opt_in: bool | None = strawberry.field(
        default=False, description="Whether who joins by a form has to confirm first, whatever the form says."
    )
    kind: ListKind = ListKind.MAILING
    where: ConditionInput | None = strawberry.field(
        default=strawberry.UNSET, description="Who is on a SMART list; nobody is put on it or taken off by hand."
    )


@strawberry.input(description="What is absent stays. What kind of list it is stays for good.")
class UpdateListInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    double_opt_in: bool | None = strawberry.UNSET
    where: ConditionInput | None = strawberry.field(default=strawberry.UNSET, description="Of a SMART list.")


@strawberry.input(description="How a contact shall stand on a list.")
class SetMembershipInput:
    contact_id: strawberry.ID
    list_id: strawberry.ID
    status: MembershipStatus
    source: MembershipSource | None = strawberry.field(
        default=strawberry.UNSET, description="Whose wish it is; MANUAL, yours, if nothing is said."
    )
    permission: bool | None = strawberry.field(
        default=False, description="You assert that the contact agreed to be on the list; it is kept that you did."
    )


@strawberry.type
class Query:
    lists = paged(List, keys=BY_NAME, description="All lists by name.")


@strawberry.type
class Mutation:
    @mutation(CreateListInput, role=Role.ADMIN, description="Make a list.", list=List)
    async def create_list(given: Given, by: Caller) -> dict:
        values = given.named(
            description="description", channel="channel", doubleOptIn="double_opt_in", kind="kind", where="where"
        )
        return {"list": await lists.create(given["name"], **values, by=by)}

    @mutation(
        UpdateListInput,
        role=Role.ADMIN,
        description="Change a list. Another rule of a SMART one moves contacts as soon as all are looked at.",
        list=List,
    )
    async def update_list(given: Given, by: Caller) -> dict:
        list_id = given.id("id", "list")
        values = given.named(name="name", description="description", doubleOptIn="double_opt_in", where="where")
        await lists.update(list_id, values, by=by)
        return {"list": list_id}

    @mutation(
        SetMembershipInput,
        role=Role.MEMBER,
        description="Put a contact on a list, or change how it stands there. Effective at once.",
        warns=True,
        membership=ListMembership,
    )
    async def set_membership(given: Given, by: Caller) -> dict:
        contact = given.id("contactId", "contact")
        list_id = given.id("listId", "list")
        if given.get("source") is not None:
            by = replace(by, source=given["source"])
        by = replace(by, permission=bool(given.get("permission")))
        outcome = await memberships.set_status(sql.ids([contact]), list_id, given["status"], by=by)
        outcome.require("This contact cannot stand so on this list.", "contactId")
        return {
            "membership": await memberships.get_id(contact, list_id),
            "warnings": memberships.doubts(outcome, given["status"], by=by),
        }
