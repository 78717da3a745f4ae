"""A company, and who works there."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.node import Connection, Node, global_id
from schema.projection.made import column, connected, table

if TYPE_CHECKING:
    from schema.types.contact import Contact


@strawberry.type(description="A company that contacts work for.")
@table("company", "co", "company")
class Company(Node):
    id: strawberry.ID = global_id("company", "co")
    name: str = column("co.name")
    contact_count: int = column("(SELECT count(*) FROM contact c WHERE c.company_id = co.id)")
    created_at: datetime = column("co.created_at")

    @connected("c.company_id = co.id", alias="c", description="Who works there.")
    def contacts(
        self, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> Connection[Annotated[Contact, strawberry.lazy("schema.types.contact")]]: ...
