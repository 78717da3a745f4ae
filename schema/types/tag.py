"""A tag: a word that a team gives to contacts, never seen by them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.node import Node, global_id
from schema.projection.made import column, table


@strawberry.type(description="A word that a team gives to contacts, never seen by them.")
@table("tag", "t", "tag")
class Tag(Node):
    id: strawberry.ID = global_id("tag", "t")
    name: str = column("t.name")
    description: str | None = column("t.description")
    contact_count: int = column(
        "(SELECT count(*) FROM contact_tag ct WHERE ct.tag_id = t.id)", "How many contacts have it."
    )
    created_at: datetime = column("t.created_at")
