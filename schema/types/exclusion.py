"""An address, or a group of addresses, to which no e-mail goes."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.enums.lists import ExclusionKind
from schema.node import Node, global_id
from schema.projection.made import column, many, one, table
from schema.types.list import List
from schema.types.user import User


@strawberry.type(description="Addresses to which no e-mail goes; how they stand on lists stays as it is.")
@table("exclusion", "ex", "exclusion")
class Exclusion(Node):
    id: strawberry.ID = global_id("exclusion", "ex")
    kind: ExclusionKind = column("ex.kind")
    value: str = column("ex.value", "In lower case.")
    lists: list[List] = many(
        "contact_list l WHERE l.id = ANY(ex.list_ids)", order="l.id", description="Whose e-mail it stops; none: all."
    )
    reason: str | None = column("ex.reason")
    created_by: User | None = one("user_account u WHERE u.id = ex.user_id")
    created_at: datetime = column("ex.created_at")
