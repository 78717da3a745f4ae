"""An entry of the audit log: who did what to what, and whether it was allowed."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.enums.team import AuditOutcome
from schema.node import Node, global_id
from schema.projection.made import column, one, table
from schema.types.activity import actor_label
from schema.types.user import User
from services.caller import Role


@strawberry.type(description="One operation that somebody performed or tried. It holds ids and names, no values.")
@table("audit_entry", "ae", "audit", reader=Role.ADMIN)
class AuditEntry(Node):
    id: strawberry.ID = global_id("audit", "ae")
    at: datetime = column("ae.at")
    actor: str = column("ae.actor", "Who did it: user:3.")
    actor_label: str | None = column(actor_label("ae.actor"), "The same in words; null where the user is gone.")
    user: User | None = one("user_account u WHERE u.id = ae.user_id")
    operation: str = column("ae.operation", "As the API calls it: updateContact.")
    subjects: list[strawberry.ID] = column(
        "ae.subjects", "The ids it was about: those given and those answered. Some may lead nowhere by now."
    )
    inputs: list[str] = column("ae.inputs", "The names of the inputs that were given.")
    outcome: AuditOutcome = column("ae.outcome")
    codes: list[str] = column("ae.codes", "Why it was refused.")
    request_id: str | None = column("ae.request_id", "The request it came with, as in the log and the X-Request-Id.")
