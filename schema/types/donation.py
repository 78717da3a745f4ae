"""What a contact gave."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from kit.sql import Sql
from schema.node import Node, global_id
from schema.paging import Key, by_id
from schema.projection.made import column, one, table

if TYPE_CHECKING:
    from schema.types.contact import Contact

NEWEST_GIFT_FIRST = (Key("given_at", Sql("dn.given_at"), "timestamptz", descending=True), by_id("dn", descending=True))


@strawberry.type(description="A gift.")
@table("donation", "dn", "donation")
class Donation(Node):
    id: strawberry.ID = global_id("donation", "dn")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] | None = one(
        "contact c WHERE c.id = dn.contact_id", "Null once the donor was deleted."
    )
    external_source: str | None = column("nullif(dn.external_source, '')", "The system whose id `externalId` is.")
    external_id: str = column("dn.external_id")
    amount: float = column("dn.amount")
    currency: str | None = column("dn.currency")
    occurred_at: datetime = column("dn.given_at")
    created_at: datetime = column("dn.created_at", "When Parcours heard of it.")
    updated_at: datetime = column("dn.updated_at")
