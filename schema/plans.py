"""Plans, and what a shop tells of who is a member."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.types import Info

from kit.sql import TRUE, Sql
from schema import told
from schema.access import Role, reader
from schema.enums.commerce import PlanMembershipStatus
from schema.mutation import Given, mutation
from schema.projection.read import read_all
from schema.types.plan import Plan, PlanMembership
from services import plans
from services.caller import Caller

_NAMES = {"plan": "plan", "paid": "paid", "status": "status", "startedAt": "started_at", "endedAt": "ended_at"}


@strawberry.input(description="The same external id again is the same membership: what is absent stays, null clears.")
class RecordPlanMembershipInput(told.Told):
    plan: str = strawberry.field(description="By name; made if unknown.")
    paid: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether the plan costs something; true for a new plan, if nothing is said. Members of a paid plan "
        "who have an account accept marketing; those of a free one once they confirmed it.",
    )
    status: PlanMembershipStatus | None = strawberry.field(
        default=strawberry.UNSET, description="ACTIVE, if nothing is said of a new one."
    )
    started_at: datetime | None = strawberry.field(default=strawberry.UNSET, description=told.OCCURRED)
    ended_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Of one that is not ACTIVE: now, if nothing is said."
    )


@strawberry.type
class Query:
    @strawberry.field(description="What people can be members of, by name.")
    async def plans(self, info: Info) -> list[Plan]:
        reader(info)
        return await read_all(info._raw_info, TRUE, order=Sql("lower(pl.name)"))  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(
        RecordPlanMembershipInput,
        role=Role.MEMBER,
        description="Write down who is a member of a plan, or is no more. Whoever joins a free plan has to "
        "confirm it by the link in `confirmationUrl`.",
        plan_membership=PlanMembership,
        confirmation_url=str,
    )
    async def record_plan_membership(given: Given, by: Caller) -> dict:
        made = await plans.record(told.values(given, _NAMES), by=by)
        return {"planMembership": made, "confirmationUrl": await plans.confirmation_url(made)}
