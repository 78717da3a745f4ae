"""What somebody has to do about a contact, and what somebody noted."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.enums.team import TaskRelationKind, TaskStatus
from schema.node import Node, global_id
from schema.projection.made import column, inline, one, table
from schema.types.user import User

if TYPE_CHECKING:
    from schema.types.automation import Automation
    from schema.types.contact import Contact


@strawberry.type(description="What a task is about.")
@table("task", "k")
class TaskRelation:
    kind: TaskRelationKind = column("'CONTACT'")
    id: strawberry.ID = column("'contact_' || k.contact_id")


@strawberry.type(description="A to-do about a contact.")
@table("task", "k", "task")
class Task(Node):
    id: strawberry.ID = global_id("task", "k")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] = one("contact c WHERE c.id = k.contact_id")
    relation: TaskRelation = inline(description="The contact, for now.")
    title: str = column("k.title")
    description: str | None = column("k.description")
    type: str = column("k.type")
    status: TaskStatus = column("k.status")
    due_at: datetime | None = column("k.due_at")
    duration_minutes: int | None = column("k.duration_minutes")
    assignee: User | None = one("user_account u WHERE u.id = k.assignee_id")
    creator: User | None = one("user_account u WHERE u.id = k.creator_id", "Null when an automation made it.")
    alert_at: datetime | None = column("k.alert_at", "A reminder at this instant.")
    alert_minutes_before: int | None = column(
        "k.alert_before_minutes", "A reminder so long before it is due; it follows the due date."
    )
    alerts_at: datetime | None = column("k.alerts_at", "When the reminder comes, unless the task is done by then.")
    alerted_at: datetime | None = column("k.alerted_at", "When the latest reminder came.")
    on_save_automation: Annotated[Automation, strawberry.lazy("schema.types.automation")] | None = one(
        "automation a WHERE a.id = k.on_save_automation_id", "The contact entered it when the task was made."
    )
    on_complete_automation: Annotated[Automation, strawberry.lazy("schema.types.automation")] | None = one(
        "automation a WHERE a.id = k.on_complete_automation_id", "The contact enters it when the task is first done."
    )
    completed_at: datetime | None = column("k.completed_at")
    created_at: datetime = column("k.created_at")
    updated_at: datetime = column("k.updated_at")


@strawberry.type(description="Something worth remembering about a contact.")
@table("note", "n", "note")
class Note(Node):
    id: strawberry.ID = global_id("note", "n")
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] = one("contact c WHERE c.id = n.contact_id")
    text: str = column("n.text")
    author: User | None = one("user_account u WHERE u.id = n.author_id", "Null when an automation wrote it.")
    created_at: datetime = column("n.created_at")
    updated_at: datetime = column("n.updated_at")
