"""Entries that were refused: why somebody did not come into an automation."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import Sql, all_of
from schema import paging
from schema.access import reader
from schema.enums.automations import EntryRefusal
from schema.node import Connection
from schema.projection.read import read_connection
from schema.projection.selection import arguments_of
from schema.types.refused_entry import RefusedEntry

NEWEST_FIRST = (paging.by_id("rf", descending=True),)

_FILTERS = {
    "automationId": lambda given: Sql("rf.automation_id = {id}::bigint", id=ids.find("automation", given) or 0),
    "contactId": lambda given: Sql("rf.contact_id = {id}::bigint", id=ids.find("contact", given) or 0),
    "reason": lambda given: Sql("rf.reason = {reason}::text", reason=given),
}


@strawberry.type
class Query:
    @strawberry.field(description="Entries that automations refused, the newest first; kept for a limited time.")
    async def refused_entries(
        self,
        info: Info,
        automation_id: strawberry.ID | None = None,
        contact_id: strawberry.ID | None = None,
        reason: EntryRefusal | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[RefusedEntry]:
        reader(info)
        given = arguments_of(info._raw_info)
        where = all_of(make(given[name]) for name, make in _FILTERS.items() if given.get(name) is not None)
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, where, keys=NEWEST_FIRST, page=page)  # type: ignore[return-value]
