"""Tags: list them, give them to a contact, take them away; make, rename, merge and delete them."""

from __future__ import annotations

import strawberry

from kit import sql
from kit.sql import Sql
from schema import paging
from schema.access import Role
from schema.mutation import Given, mutation
from schema.paged import searched
from schema.paging import Key
from schema.types.contact import Contact
from schema.types.job import Job
from schema.types.tag import Tag
from services import tags, vocabulary
from services.caller import Caller
from workflows import naming

BY_NAME = (Key("name", Sql("lower(t.name)"), "text"), paging.by_id("t"))


@strawberry.input(description="Names are trimmed; unknown tags are created; a tag the contact has stays as it is.")
class AddTagsInput:
    contact_id: strawberry.ID
    tags: list[str]


@strawberry.input(description="Takes tags from this contact only; the tags themselves stay.")
class RemoveTagsInput:
    contact_id: strawberry.ID
    tags: list[str]


@strawberry.input(description="A tag before anybody has it. The name has no comma and is no other tag's.")
class CreateTagInput:
    name: str
    description: str | None = strawberry.field(default=strawberry.UNSET, description="What it is for.")


@strawberry.input(description="What is absent stays. Automations that name the tag call it by its new name.")
class UpdateTagInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET


@strawberry.input(description="Whoever has one of `fromIds` has `intoId` instead; nothing else happens to anybody.")
class MergeTagsInput:
    from_ids: list[strawberry.ID] = strawberry.field(description="The tags that go, at most 50.")
    into_id: strawberry.ID = strawberry.field(description="The tag that stays.")


@strawberry.input(description="Takes the tag from everybody. Conditions that name it treat it as one nobody has.")
class DeleteTagInput:
    id: strawberry.ID
    confirm: bool = strawberry.field(description="Must be true: “I understand this cannot be undone”.")


@strawberry.type
class Query:
    tags = searched(Tag, Sql("t.name"), keys=BY_NAME, description="All tags by name; `search` finds a part of a name.")


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

    @mutation(CreateTagInput, role=Role.MEMBER, description="Make a tag, and say what it is for.", tag=Tag)
    async def create_tag(given: Given, by: Caller) -> dict:
        return {"tag": await vocabulary.create(dict(given), by=by)}

    @mutation(UpdateTagInput, role=Role.ADMIN, description="Rename a tag or describe it.", tag=Tag)
    async def update_tag(given: Given, by: Caller) -> dict:
        tag = given.id("id", "tag")
        await naming.update_tag(tag, given.named(name="name", description="description"), by=by)
        return {"tag": tag}

    @mutation(
        MergeTagsInput,
        role=Role.ADMIN,
        description="Make one tag of several. No trigger fires. Where very many contacts have them, by the `job`; else"
        " it is done with the answer.",
        tag=Tag,
        job=Job,
    )
    async def merge_tags(given: Given, by: Caller) -> dict:
        into = given.id("intoId", "tag")
        return {"tag": into, "job": await naming.begin_merge_tags(given.ids("fromIds", "tag"), into, by=by)}

    @mutation(DeleteTagInput, role=Role.ADMIN, description="Delete a tag for good. No trigger fires.", tag=Tag)
    async def delete_tag(given: Given, by: Caller) -> dict:
        tag = given.id("id", "tag")
        given.confirmed()
        # The answer shows the tag as it was, so it is made first.
        return {"tag": tag, "afterwards": lambda: naming.delete_tag(tag, by=by)}
