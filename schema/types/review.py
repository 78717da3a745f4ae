"""What a contact wrote about a product."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.node import Node, global_id
from schema.projection.made import column, one, table

if TYPE_CHECKING:
    from schema.types.contact import Contact


@strawberry.type(description="What a contact wrote about a product.")
@table("review", "re", "review")
class Review(Node):
    id: strawberry.ID = global_id("review", "re")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] = one("contact c WHERE c.id = re.contact_id")
    external_source: str | None = column("nullif(re.external_source, '')", "The system whose id `externalId` is.")
    external_id: str = column("re.external_id")
    rating: int | None = column("re.rating", "1 to 5.")
    text: str | None = column("re.text")
    product: str | None = column("re.product")
    occurred_at: datetime = column("re.written_at")
    created_at: datetime = column("re.created_at", "When Parcours heard of it.")
    updated_at: datetime = column("re.updated_at")
