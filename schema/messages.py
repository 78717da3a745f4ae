"""Messages: what can be sent, written and changed."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import TRUE, Sql
from schema import paging
from schema.access import Role, reader
from schema.enums.lists import Channel
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.paging import Key
from schema.projection.read import read_connection, read_one
from schema.projection.selection import arguments_of
from schema.search import containing
from schema.types.message import Message
from schema.wording import WORDS, Preview, Wording
from services import messages
from services.caller import Caller

BY_NAME = (Key("name", Sql("lower(me.name)"), "text"), paging.by_id("me"))
_NAMES = {"name": "name", "channel": "channel", **WORDS}


@strawberry.input
class _NewMessage:
    name: str
    channel: Channel | None = strawberry.field(default=strawberry.UNSET, description="EMAIL, if nothing is said.")


@strawberry.input
class _ChangedMessage:
    id: strawberry.ID
    name: str | None = strawberry.UNSET


@strawberry.input(
    description="An e-mail has a subject and html, mjml or text, a text message has text. All of these are Liquid with "
    "email, first_name, last_name, full_name, phone, job_title, company, lifecycle_stage, fields, tags, account and "
    "unsubscribe_url; a way to leave is added where there is none."
)
class CreateMessageInput(_NewMessage, Wording):
    text: str | None = strawberry.field(default=strawberry.UNSET, description="Made of the HTML, if nothing is said.")
    tracked: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether opens and clicks are noted: yes, if nothing is said."
    )


@strawberry.input(
    description="What is absent stays, null clears. What is queued already goes out as it is from now on."
)
class UpdateMessageInput(_ChangedMessage, Wording):
    pass


@strawberry.type(description="An e-mail as one contact would get it.")
class MessagePreview(Preview):
    pass


@strawberry.type
class Query:
    @strawberry.field(description="One message by its id.")
    async def message(self, info: Info, id: strawberry.ID) -> Message | None:
        reader(info)
        number = ids.find("message", id) or 0
        return await read_one(info._raw_info, Sql("me.id = {id}::bigint", id=number), rows=[number])  # type: ignore[return-value]

    @strawberry.field(
        description="All messages that have a name, by it; `search` finds a part of it or of the subject."
    )
    async def messages(
        self,
        info: Info,
        search: str | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Message]:
        reader(info)
        found = containing(search, Sql("me.name"), Sql("me.subject")) if search else TRUE
        where = Sql("(me.name IS NOT NULL AND {found})", found=found)
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, where, keys=BY_NAME, page=page)  # type: ignore[return-value]

    @strawberry.field(
        description="What a contact would get, or, without one, the e-mail with its gaps empty. Nothing is sent."
    )
    async def preview_message(
        self, info: Info, message_id: strawberry.ID, contact_id: strawberry.ID | None = None
    ) -> MessagePreview:
        by = reader(info)
        given = Given(arguments_of(info._raw_info))
        made = await messages.preview(given.id("messageId", "message"), given.id_or_none("contactId", "contact"), by=by)
        return MessagePreview.of(made)


@strawberry.type
class Mutation:
    @mutation(CreateMessageInput, role=Role.ADMIN, description="Write a message.", message=Message)
    async def create_message(given: Given, by: Caller) -> dict:
        return {"message": await messages.create(given.named(**_NAMES), by=by)}

    @mutation(
        UpdateMessageInput, role=Role.ADMIN, description="Change a message, wherever it is sent.", message=Message
    )
    async def update_message(given: Given, by: Caller) -> dict:
        message = given.id("id", "message")
        await messages.update(message, given.named(**_NAMES), by=by)
        return {"message": message}
