"""Drafts of automations: whom they would concern, their publication; copies and archives."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.types import Info

from schema.access import Role, reader
from schema.cards import StepInput
from schema.enums.automations import StepChange
from schema.mutation import Given, mutation
from schema.projection.selection import arguments_of
from schema.types.automation import Automation
from services.caller import Caller
from workflows import drafts, publish


@strawberry.input(description="Who stands on one step is moved to another.")
class StepMoveInput:
    from_: str = strawberry.field(name="from", description="The id of a step that is live.")
    to: str = strawberry.field(description="The id of a step of the draft; it begins anew for them.")


@strawberry.input
class PublishAutomationInput:
    id: strawberry.ID
    step_map: list[StepMoveInput] | None = strawberry.UNSET


@strawberry.input
class ArchiveAutomationInput:
    id: strawberry.ID


@strawberry.input
class CopyAutomationInput:
    id: strawberry.ID
    name: str | None = strawberry.field(default=strawberry.UNSET, description="Absent: “Copy of …”.")


@strawberry.type(description="A live step that would change or go, and who stands on it.")
class StepPreview:
    step_id: str
    label: str
    change: StepChange
    contacts: int = strawberry.field(description="Contacts that stand on it now.")
    goes_to: str | None = strawberry.field(
        description="The step they would go on with: itself, where it only changes; null is the end."
    )


@strawberry.type
class Query:
    @strawberry.field(
        description="Whom it would concern if these steps, or else the draft, were published. Nothing changes."
    )
    async def publish_preview(
        self,
        info: Info,
        automation_id: strawberry.ID,
        steps: list[StepInput] | None = None,
        step_map: list[StepMoveInput] | None = None,
    ) -> list[StepPreview]:
        by = reader(info)
        given = Given(arguments_of(info._raw_info))
        automation = given.id("automationId", "automation")
        found = await drafts.preview(automation, given.get("steps"), _moves(given), by=by)
        return [
            StepPreview(
                step_id=each.step_id,
                label=each.label,
                change=StepChange[each.change],
                contacts=each.contacts,
                goes_to=each.goes_to,
            )
            for each in found
        ]


@strawberry.type
class Mutation:
    @mutation(
        PublishAutomationInput,
        role=Role.ADMIN,
        description="Make live what `updateAutomation` with `publish: false` kept as a draft.",
        automation=Automation,
    )
    async def publish_automation(given: Given, by: Caller) -> dict:
        automation = given.id("id", "automation")
        await drafts.publish_draft(automation, _moves(given), by=by)
        return {"automation": automation}

    @mutation(
        ArchiveAutomationInput,
        role=Role.ADMIN,
        description="Put it away for good: who is inside is at the end. What happened can still be read.",
        automation=Automation,
    )
    async def archive_automation(given: Given, by: Caller) -> dict:
        automation = given.id("id", "automation")
        await publish.archive(automation, by=by)
        return {"automation": automation}

    @mutation(
        CopyAutomationInput,
        role=Role.ADMIN,
        description="The same triggers, steps and settings again under another name; INACTIVE.",
        automation=Automation,
    )
    async def copy_automation(given: Given, by: Caller) -> dict:
        return {"automation": await publish.copy(given.id("id", "automation"), given.get("name"), by=by)}


def _moves(given: Given) -> list[dict[str, Any]]:
    return given.get("stepMap") or []
