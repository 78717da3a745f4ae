"""The outbox: what is to leave the house, what has left it, and what became of it."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import Sql, all_of
from schema import paging
from schema.access import Role, reader
from schema.enums.mail import DeliveryChannel, DeliveryStatus
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.projection.read import read_connection
from schema.projection.selection import arguments_of
from schema.types.delivery import Delivery
from services import deliveries
from services.caller import Caller

NEWEST_FIRST = (paging.by_id("dv", descending=True),)


def _with_status(status: str) -> Sql:
    """As the indexes have it: what is due, what is troubled, and the rest."""
    found = Sql("dv.status = {status}::text", status=status)
    if status in ("QUEUED", "SENDING", "DATA"):
        return Sql("(dv.due_at IS NOT NULL AND {found})", found=found)
    if status == "SENT":
        return found
    return Sql("(dv.status IN ('FAILED', 'UNKNOWN', 'SUPPRESSED') AND {found})", found=found)


_FILTERS = {
    "status": _with_status,
    "channel": lambda given: Sql("dv.channel = {channel}::text", channel=given),
    "contactId": lambda given: Sql("dv.contact_id = {id}::bigint", id=ids.find("contact", given) or 0),
    "automationId": lambda given: Sql("dv.automation_id = {id}::bigint", id=ids.find("automation", given) or 0),
    "runId": lambda given: Sql("dv.run_id = {id}::bigint", id=ids.find("run", given) or 0),
    "campaignId": lambda given: Sql("dv.campaign_id = {id}::bigint", id=ids.find("campaign", given) or 0),
    "messageId": lambda given: Sql("dv.message_id = {id}::bigint", id=ids.find("message", given) or 0),
}


@strawberry.input(description="What is UNKNOWN may have arrived, and would then arrive twice: a person decides.")
class ResendDeliveryInput:
    id: strawberry.ID
    confirm: bool = strawberry.field(description="Must be true: it may arrive a second time.")


@strawberry.type
class Query:
    @strawberry.field(description="What was queued to leave the house, the newest first.")
    async def deliveries(
        self,
        info: Info,
        status: DeliveryStatus | None = None,
        channel: DeliveryChannel | None = None,
        contact_id: strawberry.ID | None = None,
        automation_id: strawberry.ID | None = None,
        run_id: strawberry.ID | None = None,
        campaign_id: strawberry.ID | None = None,
        message_id: strawberry.ID | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Delivery]:
        reader(info)
        given = arguments_of(info._raw_info)
        where = all_of(make(given[name]) for name, make in _FILTERS.items() if given.get(name) is not None)
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, where, keys=NEWEST_FIRST, page=page)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(
        ResendDeliveryInput,
        role=Role.MEMBER,
        description="Send what is UNKNOWN or FAILED once more.",
        delivery=Delivery,
    )
    async def resend_delivery(given: Given, by: Caller) -> dict:
        delivery = given.id("id", "delivery")
        given.confirmed()
        await deliveries.resend(delivery, by=by)
        return {"delivery": delivery}
