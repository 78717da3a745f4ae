"""What e-mails are sent as one."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.node import Node, global_id
from schema.projection.made import column, table


@strawberry.type(description="E-mails that are sent as one, from here or elsewhere.")
@table("campaign", "cp", "campaign")
class Campaign(Node):
    id: strawberry.ID = global_id("campaign", "cp")
    name: str = column("cp.name")
    created_at: datetime = column("cp.created_at")
