"""Automations: design them, switch them on and off, let contacts in by hand and end their runs."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.types import Info

from kit import ids, sql
from kit.sql import Sql, all_of
from schema import paging
from schema.access import Role, reader
from schema.cards import StepInput, TriggerInput
from schema.enums.automations import AutomationStatus, EntryPolicy, RunStatus
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.projection.read import read_connection, read_one
from schema.projection.selection import arguments_of
from schema.types.automation import Automation
from schema.types.run import AutomationRun, with_status
from services.caller import Caller
from workflows import entry, publish

_NAMES = {
    "name": "name",
    "description": "description",
    "timezone": "timezone",
    "entryPolicy": "entry_policy",
    "exitOnUnsubscribe": "exit_on_unsubscribe",
    "triggers": "triggers",
    "steps": "steps",
}
_UNSUBSCRIBE = (
    "The lists that the link in its mails takes people off; leaving one of them ends a run with exitOnUnsubscribe. "
    "None: all lists."
)
_RUN_FILTERS = {
    "automationId": lambda given: Sql("r.automation_id = {id}::bigint", id=ids.find("automation", given) or 0),
    "contactId": lambda given: Sql("r.contact_id = {id}::bigint", id=ids.find("contact", given) or 0),
    "status": with_status,
}


@strawberry.input(description="The first step is the entry; without triggers contacts enter by hand or by automations.")
class CreateAutomationInput:
    name: str
    description: str | None = strawberry.UNSET
    timezone: str | None = strawberry.field(default=strawberry.UNSET, description="Null: the account's.")
    entry_policy: EntryPolicy = EntryPolicy.ANY
    exit_on_unsubscribe: bool = False
    unsubscribe_lists: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=_UNSUBSCRIBE)
    triggers: list[TriggerInput]
    steps: list[StepInput]


@strawberry.input(
    description="What is absent stays. Steps and triggers are given whole; runs inside go on by the new ones."
)
class UpdateAutomationInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    timezone: str | None = strawberry.UNSET
    entry_policy: EntryPolicy | None = strawberry.UNSET
    exit_on_unsubscribe: bool | None = strawberry.UNSET
    unsubscribe_lists: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description=_UNSUBSCRIBE)
    triggers: list[TriggerInput] | None = strawberry.UNSET
    steps: list[StepInput] | None = strawberry.UNSET
    publish: bool = strawberry.field(
        default=True, description="False: triggers and steps are kept as a draft, for publishAutomation."
    )


@strawberry.input
class ActivateAutomationInput:
    id: strawberry.ID


@strawberry.input
class DeactivateAutomationInput:
    id: strawberry.ID


@strawberry.input(description="Starts at once and cannot be undone.")
class EnterAutomationInput:
    contact_id: strawberry.ID
    automation_id: strawberry.ID


@strawberry.input(description="Ends every run of the contact there. What was done stays; there is no undo.")
class EndAutomationInput:
    contact_id: strawberry.ID
    automation_id: strawberry.ID


@strawberry.type
class Query:
    @strawberry.field(description="Automations, the newest first.")
    async def automations(
        self,
        info: Info,
        status: AutomationStatus | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Automation]:
        reader(info)
        given = arguments_of(info._raw_info)
        wanted = given.get("status")
        where = [] if wanted is None else [Sql("a.status = {status}::text", status=wanted)]
        keys = (paging.by_id("a", descending=True),)
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, all_of(where), keys=keys, page=page)  # type: ignore[return-value]

    @strawberry.field
    async def automation(self, info: Info, id: strawberry.ID) -> Automation | None:
        reader(info)
        where = Sql("a.id = {id}::bigint", id=ids.find("automation", id) or 0)
        return await read_one(info._raw_info, where)  # type: ignore[return-value]

    @strawberry.field
    async def automation_run(self, info: Info, id: strawberry.ID) -> AutomationRun | None:
        reader(info)
        run = ids.find("run", id) or 0
        where = Sql("r.id = {id}::bigint", id=run)
        return await read_one(info._raw_info, where, rows=[run])  # type: ignore[return-value]

    @strawberry.field(description="Runs, the newest first.")
    async def automation_runs(
        self,
        info: Info,
        automation_id: strawberry.ID | None = None,
        contact_id: strawberry.ID | None = None,
        status: RunStatus | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[AutomationRun]:
        reader(info)
        given = arguments_of(info._raw_info)
        where = all_of(make(given[name]) for name, make in _RUN_FILTERS.items() if given.get(name) is not None)
        keys = (paging.by_id("r", descending=True),)
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, where, keys=keys, page=page)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(
        CreateAutomationInput,
        role=Role.ADMIN,
        description="Design an automation; INACTIVE at first.",
        automation=Automation,
    )
    async def create_automation(given: Given, by: Caller) -> dict:
        return {"automation": await publish.create(_values(given), by=by)}

    @mutation(UpdateAutomationInput, role=Role.ADMIN, description="Publish a new version of it.", automation=Automation)
    async def update_automation(given: Given, by: Caller) -> dict:
        automation = given.id("id", "automation")
        await publish.update(automation, _values(given), by=by, live=given["publish"])
        return {"automation": automation}

    @mutation(ActivateAutomationInput, role=Role.ADMIN, description="Switch it on.", automation=Automation)
    async def activate_automation(given: Given, by: Caller) -> dict:
        automation = given.id("id", "automation")
        await publish.activate(automation, by=by)
        return {"automation": automation}

    @mutation(
        DeactivateAutomationInput,
        role=Role.ADMIN,
        description="Switch it off: nobody enters, runs hold where they are, the clocks of waits go on.",
        automation=Automation,
    )
    async def deactivate_automation(given: Given, by: Caller) -> dict:
        automation = given.id("id", "automation")
        await publish.deactivate(automation, by=by)
        return {"automation": automation}

    @mutation(
        EnterAutomationInput, role=Role.MEMBER, description="Let a contact in by hand, at once.", run=AutomationRun
    )
    async def enter_automation(given: Given, by: Caller) -> dict:
        contact, automation = given.id("contactId", "contact"), given.id("automationId", "automation")
        return {"run": await entry.enter_one(contact, automation, by=by, via="MANUAL")}

    @mutation(
        EndAutomationInput,
        role=Role.MEMBER,
        description="End every run of a contact in an automation.",
        runs=list[AutomationRun],
    )
    async def end_automation(given: Given, by: Caller) -> dict:
        contact, automation = given.id("contactId", "contact"), given.id("automationId", "automation")
        return {"runs": await entry.end(sql.ids([contact]), automation, by=by)}


def _values(given: Given) -> dict[str, Any]:
    values = given.named(**_NAMES)
    if "unsubscribeLists" in given:
        lists = given["unsubscribeLists"]
        values["unsubscribe_lists"] = None if lists is None else given.ids("unsubscribeLists", "list")
    return values
