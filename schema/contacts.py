"""Contacts: read, page, search, create, change and delete one."""

from __future__ import annotations

from dataclasses import replace

import strawberry
from strawberry.types import Info

from kit import ids
from kit.errors import invalid
from kit.sql import FALSE, Sql, all_of
from schema import paging, sorting
from schema.access import Role, reader
from schema.cards import ConditionInput
from schema.enums.contacts import LifecycleStage, Origin
from schema.enums.lists import MembershipStatus
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.projection.read import read_connection, read_one
from schema.projection.selection import arguments_of
from schema.scalars import JSON
from schema.search import of_contacts, under_external_id
from schema.sorting import ContactSortInput
from schema.types.contact import Contact
from segments import rule
from segments.reading import reading
from services import contacts, views
from services.caller import Caller

NAMES = {
    "email": "email",
    "phone": "phone",
    "firstName": "first_name",
    "lastName": "last_name",
    "jobTitle": "job_title",
    "company": "company",
    "lifecycleStage": "lifecycle_stage",
    "origin": "origin",
    "externalSource": "external_source",
    "externalId": "external_id",
    "fieldValues": "field_values",
    "tags": "tags",
    "acceptsMarketing": "accepts_marketing",
    "location": "location",
}


@strawberry.input(description="What a custom field shall hold; null clears it.")
class FieldValueInput:
    name: str
    value: JSON | None = strawberry.UNSET


@strawberry.input(description="A list to be on, and how.")
class MembershipInput:
    list_id: strawberry.ID
    status: MembershipStatus = MembershipStatus.ACTIVE


@strawberry.input(description="Where a contact is. What is absent stays, null clears.")
class LocationInput:
    country: str | None = strawberry.field(
        default=strawberry.UNSET, description="By its two letters, or its English name."
    )
    region: str | None = strawberry.UNSET
    city: str | None = strawberry.UNSET
    postal_code: str | None = strawberry.UNSET
    timezone: str | None = strawberry.field(default=strawberry.UNSET, description="Of the IANA database.")


@strawberry.input
class PersonFields:
    email: str | None = strawberry.UNSET
    phone: str | None = strawberry.UNSET
    first_name: str | None = strawberry.UNSET
    last_name: str | None = strawberry.UNSET
    job_title: str | None = strawberry.UNSET
    company: str | None = strawberry.field(default=strawberry.UNSET, description="By name; created if unknown.")
    lifecycle_stage: LifecycleStage | None = strawberry.UNSET
    field_values: list[FieldValueInput] | None = strawberry.UNSET


@strawberry.input
class ContactFields(PersonFields):
    tags: list[str] | None = strawberry.field(default=strawberry.UNSET, description="By name; created if unknown.")
    memberships: list[MembershipInput] | None = strawberry.UNSET
    location: LocationInput | None = strawberry.field(
        default=strawberry.UNSET, description="Comes before what visits tell; null gives it back to them."
    )
    external_source: str | None = strawberry.field(
        default=strawberry.UNSET, description="The system whose id `externalId` is."
    )
    external_id: str | None = strawberry.field(
        default=strawberry.UNSET, description="The id of the contact there; no two contacts have the same."
    )


@strawberry.input(description="An e-mail address, a phone number or both; everything else is optional.")
class CreateContactInput(ContactFields):
    accepts_marketing: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="True: you assert that the contact agreed to marketing, which is kept. False: it did not, and its "
        "memberships are UNCONFIRMED.",
    )
    origin: Origin | None = strawberry.field(
        default=strawberry.UNSET, description="API unless it is said; MANUAL for somebody added by hand."
    )


@strawberry.input(description="What is absent stays, null clears; custom fields and lists that are not named stay.")
class UpdateContactInput(ContactFields):
    id: strawberry.ID


@strawberry.input(description="Deletion is final.")
class DeleteContactInput:
    id: strawberry.ID
    confirm: bool = strawberry.field(description="Must be true: “I understand this cannot be undone”.")


@strawberry.type
class Query:
    @strawberry.field(description="One contact by its id, its e-mail address or the id another system knows it by.")
    async def contact(
        self,
        info: Info,
        id: strawberry.ID | None = None,
        email: str | None = None,
        external_source: str | None = None,
        external_id: str | None = None,
    ) -> Contact | None:
        reader(info)
        if sum(each is not None for each in (id, email, external_id)) != 1:
            raise invalid("ONE_OF", "Give one of id, email and externalId.", "id")
        if email is not None:
            where = Sql("lower(c.email) = lower({email}::text)", email=email.strip())
        elif external_id is not None:
            where = under_external_id("c", external_source, external_id)
        else:
            where = Sql("c.id = {id}::bigint", id=ids.find("contact", id) or 0)
        return await read_one(info._raw_info, where)  # type: ignore[return-value]

    @strawberry.field(description="Contacts that meet `where`, have `search` in name or address, are in `view`.")
    async def contacts(
        self,
        info: Info,
        where: ConditionInput | None = None,
        search: str | None = None,
        view: strawberry.ID | None = None,
        sort: list[ContactSortInput] | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Contact]:
        caller = reader(info)
        given = arguments_of(info._raw_info)
        page = paging.page(first, after, last, before)
        searches = [search] if search and search.strip() else []
        rules: list[rule.Condition | None] = []
        order_by, read = given.get("sort"), None
        if given.get("where") is not None or view is not None or sorting.needs_fields(order_by):
            read = await reading(caller.now)
        if view is not None and read is not None:
            kept = await views.get(ids.find("view", view) or 0, read, by=caller)
            searches += [kept.search] if kept.search else []
            rules += [rule.saved(kept.condition)] if kept.condition else []
            order_by = order_by or kept.sort
        if given.get("where") is not None and read is not None:
            rules.append(rule.check(given["where"], read, ("where",), lasting=True))
        where, each = await _asked(searches, rules, read)
        keys = sorting.keys(order_by, read)
        return await read_connection(info._raw_info, where, keys=keys, page=page, each=each)  # type: ignore[return-value]


async def _asked(
    searches: list[str], rules: list[rule.Condition | None], read: rule.Reading | None
) -> tuple[Sql, Sql | None]:
    """A condition over `c`, and the same to be asked of one contact after the other, for rules that have alternatives.

    A rule that can be read no longer is met by nobody.
    """
    parts = [of_contacts(each) for each in searches]
    if read is None or not rules:
        return all_of(parts), None
    known = await rule.knowing(read, *rules)
    where = all_of([*parts, *(FALSE if each is None else each.compile(known) for each in rules)])
    one_by_one = [None if each is None else rule.one_by_one(each, known) for each in rules]
    if not any(one_by_one):
        return where, None
    few = replace(known, of_few=True, in_sets=False)
    return where, all_of([*parts, *(FALSE if each is None else each.compile(few) for each in rules)])


def located(values: dict) -> dict:
    """The values with the parts of their `location` under the verbs' names."""
    if values.get("location"):
        named = {"postalCode": "postal_code"}
        values["location"] = {named.get(key, key): part for key, part in values["location"].items()}
    return values


def values_of(given: Given) -> dict:
    """The input under the verb's names; an id that is none is left to the verb, which reports all faults at once."""
    values = located(given.named(**NAMES))
    if given.get("memberships") is not None:
        values["memberships"] = [
            {"list_id": ids.find("list", each["listId"]) or 0, "status": each["status"]}
            for each in given["memberships"]
        ]
    return values


@strawberry.type
class Mutation:
    @mutation(CreateContactInput, role=Role.MEMBER, description="Store a new contact.", contact=Contact)
    async def create_contact(given: Given, by: Caller) -> dict:
        return {"contact": await contacts.create(values_of(given), by=by)}

    @mutation(UpdateContactInput, role=Role.MEMBER, description="Change one contact, all or nothing.", contact=Contact)
    async def update_contact(given: Given, by: Caller) -> dict:
        contact = given.id("id", "contact")
        await contacts.update(contact, values_of(given), by=by)
        return {"contact": contact}

    @mutation(
        DeleteContactInput,
        role=Role.MEMBER,
        description="Delete one contact for good; its runs end at once.",
        contact=Contact,
    )
    async def delete_contact(given: Given, by: Caller) -> dict:
        contact = given.id("id", "contact")
        if not given["confirm"]:
            raise invalid("CONFIRMATION_REQUIRED", "Set confirm to true: a deletion cannot be undone.", "confirm")
        # The answer shows the contact as it was, so it is made first.
        return {"contact": contact, "afterwards": lambda: contacts.delete(contact, by=by)}
