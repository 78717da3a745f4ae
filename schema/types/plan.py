"""What people can be members of, and one who is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums.commerce import PlanMembershipStatus
from schema.node import Node, global_id
from schema.projection.made import column, one, table

if TYPE_CHECKING:
    from schema.types.contact import Contact


_ACTIVE_COUNT = """(
    SELECT count(DISTINCT pm.contact_id)
    FROM plan_membership pm
    WHERE pm.plan_id = pl.id
      AND pm.status = 'ACTIVE'
)"""


@strawberry.type(description="Something to be a member of.")
@table("plan", "pl", "plan")
class Plan(Node):
    id: strawberry.ID = global_id("plan", "pl")
    name: str = column("pl.name")
    paid: bool = column("pl.paid")
    active_count: int = column(_ACTIVE_COUNT, "Contacts who are members now.")
    created_at: datetime = column("pl.created_at")


@strawberry.type(description="A contact as a member of a plan.")
@table("plan_membership", "pm", "planmembership")
class PlanMembership(Node):
    id: strawberry.ID = global_id("planmembership", "pm")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] = one("contact c WHERE c.id = pm.contact_id")
    plan: Plan = one("plan pl WHERE pl.id = pm.plan_id")
    external_source: str | None = column("nullif(pm.external_source, '')", "The system whose id `externalId` is.")
    external_id: str = column("pm.external_id")
    status: PlanMembershipStatus = column("pm.status")
    started_at: datetime = column("pm.started_at")
    ended_at: datetime | None = column("pm.ended_at")
    confirmed_at: datetime | None = column("pm.confirmed_at", "When the link in the mail of a free plan was clicked.")
    created_at: datetime = column("pm.created_at", "When Parcours heard of it.")
    updated_at: datetime = column("pm.updated_at")
