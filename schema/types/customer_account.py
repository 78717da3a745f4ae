"""With what a contact signs in at the shop."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.node import Node, global_id
from schema.projection.made import column, inline, one, table
from schema.types.address import Address, address

if TYPE_CHECKING:
    from schema.types.contact import Contact


@strawberry.type(description="What is kept of a means of payment.")
@table("customer_account", "ca")
class Payment:
    brand: str | None = column("ca.payment ->> 'brand'")
    last_digits: str | None = column("ca.payment ->> 'last_digits'")


@strawberry.type(description="With what a contact signs in at the shop, and what the shop keeps for the next purchase.")
@table("customer_account", "ca", "customeraccount")
class CustomerAccount(Node):
    id: strawberry.ID = global_id("customeraccount", "ca")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] = one("contact c WHERE c.id = ca.contact_id")
    external_source: str | None = column("nullif(ca.external_source, '')", "The system whose id `externalId` is.")
    external_id: str | None = column("ca.external_id")
    payment: Payment | None = inline("ca.payment IS NOT NULL")
    billing_address: Address | None = address("ca.billing_address")
    shipping_address: Address | None = address("ca.shipping_address")
    created_at: datetime = column("ca.created_at")
