"""Tags: list them, give them to a contact, take them away."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit import sql
from kit.sql import TRUE, Sql
from schema import paging
from schema.access import Role, reader
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.paging import Key
from schema.projection.read import read_connection
from schema.search import containing
from schema.types.contact import Contact
from schema.types.tag import Tag
from services import tags
from services.caller import Caller

BY_NAME = (Key("name", Sql("lower(t.name)"), "text"), paging.by_id("t"))


@strawberry.input(description="Names are trimmed; unknown tags are created; a tag the contact has stays as it is.")
class AddTagsInput:
    contact_id: strawberry.ID
    tags: list[str]


@strawberry.input(description="Takes tags from this contact only; the tags themselves stay.")
class RemoveTagsInput:
    contact_id: strawberry.ID
    tags: list[str]


@strawberry.type
class Query:
    @strawberry.field(description="All tags by name; `search` finds a part of a name.")
    async def tags(
        self,
        info: Info,
        search: str | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Tag]:
        reader(info)
        where = containing(search, Sql("t.name")) if search else TRUE
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, where, keys=BY_NAME, page=page)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(AddTagsInput, role=Role.MEMBER, description="Give a contact tags.", contact=Contact)
    async def add_tags(given: Given, by: Caller) -> dict:
        contact = given.id("contactId", "contact")
        outcome = await tags.give(sql.ids([contact]), given["tags"], by=by)
        outcome.require("This contact cannot have these tags.", "contactId")
        return {"contact": contact}

    @mutation(RemoveTagsInput, role=Role.MEMBER, description="Take tags from a contact.", contact=Contact)
    async def remove_tags(given: Given, by: Caller) -> dict:
        contact = given.id("contactId", "contact")
        outcome = await tags.take(sql.ids([contact]), given["tags"], by=by)
        outcome.require("These tags cannot be taken from this contact.", "contactId")
        return {"contact": contact}
