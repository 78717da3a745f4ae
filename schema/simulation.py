"""Simulation: what an automation would do with contacts of one's choice, nothing of which is kept."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.access import Role
from schema.cards import StepInput, TriggerInput
from schema.contacts import ContactFields, values_of
from schema.mutation import Given, mutation
from schema.types.delivery import Delivery
from schema.types.run import AutomationRun
from services.caller import Caller
from workflows import simulate


@strawberry.input(description="Somebody made up for a simulation. Without an address it gets one that nobody has.")
class GhostInput(ContactFields):
    accepts_marketing: bool | None = strawberry.UNSET


@strawberry.input(
    description="An automation that is there, or steps (and triggers) as they are given; and whom to send through: "
    "contacts, or some that are made up. Runs that they had before do not count."
)
class SimulateAutomationInput:
    automation_id: strawberry.ID | None = strawberry.UNSET
    steps: list[StepInput] | None = strawberry.UNSET
    triggers: list[TriggerInput] | None = strawberry.field(
        default=strawberry.UNSET, description="With `steps`: who enters again on the way, by what the steps do."
    )
    contact_ids: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description="At most 100.")
    ghosts: list[GhostInput] | None = strawberry.field(default=strawberry.UNSET, description="At most 10.")
    until: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="To when time is put forward; a year without it, 5 years at most."
    )


@strawberry.type
class Mutation:
    @mutation(
        SimulateAutomationInput,
        role=Role.ADMIN,
        description="Try an automation out: the paths that contacts would take, and what would be sent to them. The "
        "engine itself plays it, and everything is undone: no id in the answer is there afterwards.",
        runs=list[AutomationRun],
        deliveries=list[Delivery],
        until=datetime,
        finished=bool,
        stopped=str,
    )
    async def simulate_automation(given: Given, by: Caller) -> dict:
        values = given.named(steps="steps", triggers="triggers", until="until") | {
            "automation_id": given.id_or_none("automationId", "automation"),
            "contact_ids": given.ids("contactIds", "contact") if given.get("contactIds") else [],
            "ghosts": [values_of(Given(each)) for each in given.get("ghosts") or []],
        }
        played = await simulate.play(values, by=by)
        return {
            "runs": played.runs,
            "deliveries": played.deliveries,
            "until": played.until.isoformat(),
            "finished": played.finished,
            "stopped": played.stopped,
            "undone": True,
        }
