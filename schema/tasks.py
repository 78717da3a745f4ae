"""Tasks: what somebody has to do about a contact."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.types import Info

from kit import ids
from kit.errors import invalid
from kit.sql import Sql, all_of
from schema import paging
from schema.access import Role, reader
from schema.enums.team import TaskRelationKind, TaskStatus
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.projection.read import read_connection
from schema.projection.selection import arguments_of
from schema.types.run import AutomationRun
from schema.types.task import Task
from services import tasks
from services.caller import Caller
from workflows import follow_up

_NAMES = {
    "title": "title",
    "description": "description",
    "type": "type",
    "status": "status",
    "dueAt": "due_at",
    "durationMinutes": "duration_minutes",
    "alertAt": "alert_at",
    "alertMinutesBefore": "alert_minutes_before",
}
_REFERENCES = {
    "contactId": ("contact_id", "contact"),
    "assigneeId": ("assignee_id", "user"),
    "onSaveAutomationId": ("on_save_automation_id", "automation"),
    "onCompleteAutomationId": ("on_complete_automation_id", "automation"),
}
_FILTERS = {
    "contactId": lambda given: Sql("k.contact_id = {id}::bigint", id=ids.find("contact", given) or 0),
    "assigneeId": lambda given: Sql("k.assignee_id = {id}::bigint", id=ids.find("user", given) or 0),
    "status": lambda given: Sql("k.status = {status}::text", status=given),
    "dueBefore": lambda given: Sql("k.due_at < {instant}::timestamptz", instant=given),
}


@strawberry.input(description="What a task is about: a contact, for now.")
class TaskRelationInput:
    kind: TaskRelationKind = TaskRelationKind.CONTACT
    id: strawberry.ID


@strawberry.input(description="A to-do about a contact, which `contactId` or `relation` names.")
class CreateTaskInput:
    contact_id: strawberry.ID | None = strawberry.UNSET
    relation: TaskRelationInput | None = strawberry.UNSET
    title: str
    description: str | None = strawberry.UNSET
    type: str | None = strawberry.field(default=strawberry.UNSET, description="Any word: CALL, EMAIL, TODO (default) …")
    due_at: datetime | None = strawberry.UNSET
    duration_minutes: int | None = strawberry.UNSET
    assignee_id: strawberry.ID | None = strawberry.UNSET
    alert_at: datetime | None = strawberry.field(default=strawberry.UNSET, description="Remind at this instant, or …")
    alert_minutes_before: int | None = strawberry.field(
        default=strawberry.UNSET, description="… so long before it is due."
    )
    on_save_automation_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The contact enters this active automation now."
    )
    on_complete_automation_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="The contact enters this automation when the task is done."
    )


@strawberry.input(description="What is absent stays, null clears. A task moves with its contact id or its relation.")
class UpdateTaskInput:
    id: strawberry.ID
    contact_id: strawberry.ID | None = strawberry.UNSET
    relation: TaskRelationInput | None = strawberry.UNSET
    title: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    type: str | None = strawberry.UNSET
    status: TaskStatus | None = strawberry.UNSET
    due_at: datetime | None = strawberry.UNSET
    duration_minutes: int | None = strawberry.UNSET
    assignee_id: strawberry.ID | None = strawberry.UNSET
    alert_at: datetime | None = strawberry.UNSET
    alert_minutes_before: int | None = strawberry.UNSET
    on_complete_automation_id: strawberry.ID | None = strawberry.UNSET


@strawberry.input(description="A task to delete.")
class DeleteTaskInput:
    id: strawberry.ID
    confirm: bool = strawberry.field(description="Must be true: it cannot be undone.")


def _values(given: Given) -> dict:
    """The input under the verb's names; an id that is none is left to the verb, which reports all faults at once."""
    values = given.named(**_NAMES)
    for outside, (inside, kind) in _REFERENCES.items():
        if outside in given:
            values[inside] = None if given[outside] is None else ids.find(kind, given[outside]) or 0
    if given.get("relation") is not None:
        if given.get("contactId") not in (None, given["relation"]["id"]):
            raise invalid("INVALID_VALUE", "contactId and relation name different contacts.", "relation")
        values["contact_id"] = ids.find("contact", given["relation"]["id"]) or 0
    return values


@strawberry.type
class Query:
    @strawberry.field(description="Tasks, the newest first.")
    async def tasks(
        self,
        info: Info,
        contact_id: strawberry.ID | None = None,
        assignee_id: strawberry.ID | None = None,
        status: TaskStatus | None = None,
        due_before: datetime | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Task]:
        reader(info)
        given = arguments_of(info._raw_info)
        where = all_of(make(given[name]) for name, make in _FILTERS.items() if given.get(name) is not None)
        keys = (paging.by_id("k", descending=True),)
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, where, keys=keys, page=page)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(
        CreateTaskInput,
        role=Role.MEMBER,
        description="Note a to-do about a contact. With an automation on save: refused where that is not active.",
        task=Task,
        run=AutomationRun,
    )
    async def create_task(given: Given, by: Caller) -> dict:
        done = await follow_up.create_task(_values(given), by=by)
        return {"task": done.saved, "run": done.run}

    @mutation(
        UpdateTaskInput,
        role=Role.MEMBER,
        description="Change a task, complete it, or move it. The automation of its completion is entered once a task;"
        " where it does not let the contact in, the task is done all the same, with a warning.",
        warns=True,
        task=Task,
        run=AutomationRun,
    )
    async def update_task(given: Given, by: Caller) -> dict:
        done = await follow_up.update_task(given.id("id", "task"), _values(given), by=by)
        return {"task": done.saved, "run": done.run, "warnings": done.warnings}

    @mutation(DeleteTaskInput, role=Role.MEMBER, description="Delete a task for good.", task=Task)
    async def delete_task(given: Given, by: Caller) -> dict:
        task = given.id("id", "task")
        given.confirmed()
        # The answer shows the task as it was, so it is made first.
        return {"task": task, "afterwards": lambda: tasks.delete(task, by=by)}
