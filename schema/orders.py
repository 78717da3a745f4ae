"""Orders: what a shop tells of purchases, and reading them."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import Sql, all_of
from schema import paging, told
from schema.access import Role, reader
from schema.enums.commerce import OrderStatus
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.projection.read import read_connection
from schema.projection.selection import arguments_of
from schema.search import under_external_id
from schema.types.address import AddressInput
from schema.types.order import NEWEST_ORDER_FIRST, Order, with_order_status
from services import orders
from services.caller import Caller

_NAMES = {
    "number": "number",
    "status": "status",
    "total": "total",
    "currency": "currency",
    "physical": "physical",
    "occurredAt": "occurred_at",
    "customerName": "customer_name",
    "items": "items",
}
_FILTERS = {
    "contactId": lambda given: Sql("o.contact_id = {id}::bigint", id=ids.find("contact", given) or 0),
    "status": with_order_status,
}


@strawberry.input(description="Something of an order.")
class OrderItemInput:
    name: str
    quantity: float | None = strawberry.field(default=strawberry.UNSET, description="1, if nothing is said.")
    price: float | None = strawberry.field(default=strawberry.UNSET, description="Of one.")


@strawberry.input(
    description="The same external id again is the same order: what is absent stays, null clears. Only COMPLETE orders "
    "count in the totals of the contact."
)
class RecordOrderInput(told.Told):
    total: float
    status: OrderStatus | None = strawberry.field(
        default=strawberry.UNSET, description="COMPLETE, if nothing is said of a new one."
    )
    number: str | None = strawberry.field(default=strawberry.UNSET, description="As customers know it.")
    currency: str | None = strawberry.field(default=strawberry.UNSET, description="Three letters, such as EUR.")
    physical: bool | None = strawberry.field(default=strawberry.UNSET, description="Whether something was sent.")
    occurred_at: datetime | None = strawberry.field(default=strawberry.UNSET, description=told.OCCURRED)
    customer_name: str | None = strawberry.field(
        default=strawberry.UNSET, description="The name of the contact, if nothing is said."
    )
    billing_address: AddressInput | None = strawberry.UNSET
    shipping_address: AddressInput | None = strawberry.UNSET
    items: list[OrderItemInput] | None = strawberry.UNSET


@strawberry.type
class Query:
    @strawberry.field(description="Orders, the newest first: of a contact, or the one that is known outside by an id.")
    async def orders(
        self,
        info: Info,
        contact_id: strawberry.ID | None = None,
        external_source: str | None = None,
        external_id: str | None = None,
        status: OrderStatus | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Order]:
        reader(info)
        given = arguments_of(info._raw_info)
        conditions = [make(given[name]) for name, make in _FILTERS.items() if given.get(name) is not None]
        if external_id is not None:
            conditions.append(under_external_id("o", external_source, external_id))
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, all_of(conditions), keys=NEWEST_ORDER_FIRST, page=page)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(RecordOrderInput, role=Role.MEMBER, description="Write down a purchase, once.", order=Order)
    async def record_order(given: Given, by: Caller) -> dict:
        values = told.values(given, _NAMES, addresses=("billingAddress", "shippingAddress"))
        return {"order": await orders.record(values, by=by)}
