"""Live news: a contact or a run, read anew each time it changed, pushed to whoever watches it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import Sql
from schema.access import reader
from schema.projection.read import read_one
from schema.types.contact import Contact
from schema.types.run import AutomationRun


@strawberry.type
class Subscription:
    @strawberry.subscription(description="The contact, each time something about it has changed.")
    async def contact_changed(self, info: Info, contact_id: strawberry.ID) -> AsyncGenerator[Contact, None]:
        reader(info)
        contact = ids.take("contact", contact_id, "contactId")
        async for _ in info.context.live.contacts(contact):
            found = await read_one(info._raw_info, Sql("c.id = {id}::bigint", id=contact))
            if found is None:  # it was deleted: there will be no more news
                return
            yield found

    @strawberry.subscription(description="Each run that moves, of those that fit all that is given.")
    async def run_changed(
        self,
        info: Info,
        run_id: strawberry.ID | None = None,
        automation_id: strawberry.ID | None = None,
        contact_id: strawberry.ID | None = None,
    ) -> AsyncGenerator[AutomationRun, None]:
        reader(info)
        wanted = {
            "run_id": None if run_id is None else ids.take("run", run_id, "runId"),
            "automation_id": None if automation_id is None else ids.take("automation", automation_id, "automationId"),
            "contact_id": None if contact_id is None else ids.take("contact", contact_id, "contactId"),
        }
        async for run in info.context.live.runs(**wanted):
            if run is not None:
                found = await read_one(info._raw_info, Sql("r.id = {id}::bigint", id=run))
                if found is not None:
                    yield found
