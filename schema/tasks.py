"""Tasks: what somebody has to do about a contact."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry.types import Info

from kit import ids
from kit.sql import Sql, all_of
from schema import paging
from schema.access import Role, reader
from schema.enums import TaskStatus
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.projection.read import read_connection
from schema.projection.selection import arguments_of
from schema.types.task import Task
from services import tasks
from services.caller import Caller

_NAMES = {
    "title": "title",
    "description": "description",
    "type": "type",
    "status": "status",
    "dueAt": "due_at",
    "durationMinutes": "duration_minutes",
}
_FILTERS = {
    "contactId": lambda given: Sql("k.contact_id = {id}::bigint", id=ids.find("contact", given) or 0),
    "assigneeId": lambda given: Sql("k.assignee_id = {id}::bigint", id=ids.find("user", given) or 0),
    "status": lambda given: Sql("k.status = {status}::text", status=given),
    "dueBefore": lambda given: Sql("k.due_at < {instant}::timestamptz", instant=given),
}


@strawberry.input(description="A to-do about a contact.")
class CreateTaskInput:
    contact_id: strawberry.ID
    title: str
    description: str | None = strawberry.UNSET
    type: str | None = strawberry.field(default=strawberry.UNSET, description="Any word: CALL, EMAIL, TODO (default) …")
    due_at: datetime | None = strawberry.UNSET
    duration_minutes: int | None = strawberry.UNSET
    assignee_id: strawberry.ID | None = strawberry.UNSET


@strawberry.input(description="What is absent stays, null clears. A task moves with its contact id.")
class UpdateTaskInput:
    id: strawberry.ID
    contact_id: strawberry.ID | None = strawberry.UNSET
    title: str | None = strawberry.UNSET
    description: str | None = strawberry.UNSET
    type: str | None = strawberry.UNSET
    status: TaskStatus | None = strawberry.UNSET
    due_at: datetime | None = strawberry.UNSET
    duration_minutes: int | None = strawberry.UNSET
    assignee_id: strawberry.ID | None = strawberry.UNSET


def _values(given: Given) -> dict:
    values = given.named(**_NAMES)
    for outside, inside, kind in (("contactId", "contact_id", "contact"), ("assigneeId", "assignee_id", "user")):
        if outside in given:
            values[inside] = given.id_or_none(outside, kind)
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
    @mutation(CreateTaskInput, role=Role.MEMBER, description="Note a to-do about a contact.", task=Task)
    async def create_task(given: Given, by: Caller) -> dict:
        return {"task": await tasks.create(_values(given), by=by)}

    @mutation(UpdateTaskInput, role=Role.MEMBER, description="Change a task, complete it, or move it.", task=Task)
    async def update_task(given: Given, by: Caller) -> dict:
        task = given.id("id", "task")
        await tasks.update(task, _values(given), by=by)
        return {"task": task}
