"""What a contact bought."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from kit.sql import Sql
from schema.enums.commerce import OrderStatus
from schema.node import Node, global_id
from schema.paging import Key, by_id
from schema.projection.made import column, many, one, table
from schema.types.address import Address, address

if TYPE_CHECKING:
    from schema.types.contact import Contact

NEWEST_ORDER_FIRST = (
    Key("ordered_at", Sql("o.ordered_at"), "timestamptz", descending=True),
    by_id("o", descending=True),
)
_ITEMS = """ROWS FROM (
    jsonb_to_recordset(o.items) AS (name text, quantity numeric, price numeric)
) WITH ORDINALITY AS item (name, quantity, price, place) WHERE TRUE"""


def with_order_status(status: str) -> Sql:
    """Orders of this status."""
    return Sql("o.status = {status}::text", status=status)


@strawberry.type(description="Something of an order.")
@table("", "item")
class OrderItem:
    name: str = column("item.name")
    quantity: float = column("item.quantity")
    price: float | None = column("item.price", "Of one.")


@strawberry.type(description="A purchase, as its shop told it.")
@table("shop_order", "o", "order")
class Order(Node):
    id: strawberry.ID = global_id("order", "o")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] | None = one(
        "contact c WHERE c.id = o.contact_id", "Null once the customer was deleted: the order stays, and is nobody's."
    )
    external_source: str | None = column("nullif(o.external_source, '')", "The system whose id `externalId` is.")
    external_id: str = column("o.external_id")
    number: str | None = column("o.number", "As customers know it.")
    status: OrderStatus = column("o.status")
    total: float = column("o.total")
    currency: str | None = column("o.currency")
    physical: bool = column("o.physical", "Whether something was sent.")
    items: list[OrderItem] = many(_ITEMS, order="item.place")
    customer_name: str | None = column("o.customer_name", "As it was when the order was placed.")
    customer_email: str | None = column("o.customer_email", "As it was when the order was placed.")
    billing_address: Address | None = address("o.billing_address")
    shipping_address: Address | None = address("o.shipping_address")
    occurred_at: datetime = column("o.ordered_at")
    created_at: datetime = column("o.created_at", "When Parcours heard of it.")
    updated_at: datetime = column("o.updated_at")
