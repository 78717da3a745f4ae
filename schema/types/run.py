"""A run: one contact's way through one automation, with the path it took."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from kit.sql import FALSE, Sql
from schema.enums.automations import EntryVia, RunEndReason, RunState, RunStatus, VisitStatus
from schema.kinds import StepKind
from schema.node import Node, global_id
from schema.projection.made import column, inline, many, one, table
from schema.scalars import JSON
from schema.types.activity import actor_label
from schema.types.run_explanation import RunExplanation
from workflows import report

if TYPE_CHECKING:
    from schema.types.automation import Automation, Step
    from schema.types.contact import Contact
    from schema.types.delivery import Delivery


def with_status(status: str) -> Sql:
    """The condition that `runs(status:)` stands for."""
    return {"ACTIVE": Sql("r.ended_at IS NULL"), "ENDED": Sql("r.ended_at IS NOT NULL")}.get(status, FALSE)


@strawberry.type(description="How a contact came into an automation.")
@table("run", "r")
class RunEntry:
    at: datetime = column("r.started_at")
    via: EntryVia = column("r.via")
    trigger_id: strawberry.ID | None = column("'trigger_' || r.trigger_id")
    label: str = column("r.entry_label", "In words, such as: Subscribed to Customers.")
    actor: str | None = column(actor_label("r.actor"), "Who let it in.")


@strawberry.type(description="A run at a step: the green tick or the red cross that a designer draws, and when.")
@table("visit", "i")
class StepVisit:
    seq: int = column("i.seq", "1 for the first step of the run.")
    step_id: str = column("s.key")
    kind: StepKind = column("upper(s.kind)")
    label: str = column("s.label", "As it was called at the time.")
    status: VisitStatus = column("i.status")
    reason: str | None = column("i.reason", "A code: NO_EMAIL, GOAL_JUMP, ENDED_MANUALLY …")
    reason_text: str | None = column(report.REASON_TEXT, "The same as a sentence.")
    branch: str | None = column("i.branch", "The branch taken.")
    detail: JSON | None = column("i.detail")
    delivery: Annotated[Delivery, strawberry.lazy("schema.types.delivery")] | None = one(
        "delivery dv WHERE dv.key = 'run:' || i.run_id || ':' || i.seq", "What it sent, and what became of it."
    )
    entered_at: datetime = column("i.entered_at")
    finished_at: datetime | None = column("i.finished_at")


@strawberry.type(description="One contact's way through one automation.")
@table("run", "r", "run")
class AutomationRun(Node):
    id: strawberry.ID = global_id("run", "r")
    automation: Annotated[Automation, strawberry.lazy("schema.types.automation")] = one(
        "automation a WHERE a.id = r.automation_id"
    )
    contact: Annotated[Contact, strawberry.lazy("schema.types.contact")] = one("contact c WHERE c.id = r.contact_id")
    status: RunStatus = column("CASE WHEN r.ended_at IS NULL THEN 'ACTIVE' ELSE 'ENDED' END")
    state: RunState = column(report.STATE)
    end_reason: RunEndReason | None = column("r.end_reason")
    entry: RunEntry = inline()
    entry_number: int = column("r.entry_number", "1 for the first time in.")
    version: int = column(
        "(SELECT av.number FROM automation_version av WHERE av.id = r.version_id)", "The version it goes by."
    )
    path: list[StepVisit] = many(
        "visit i JOIN automation_step s ON s.id = i.step_id WHERE i.run_id = r.id",
        order="i.seq",
        description="What was traversed, in order.",
    )
    current_step: Annotated[Step, strawberry.lazy("schema.types.automation")] | None = one(
        """automation_version av
        CROSS JOIN LATERAL jsonb_array_elements(av.graph -> 'steps') AS step (body)
        WHERE av.id = r.version_id AND step.body ->> 'id' = r.step_key"""
    )
    next_wake_at: datetime | None = column("CASE WHEN r.waiting THEN coalesce(r.deadline_at, r.due_at) END")
    completed_steps: int = column(report.COMPLETED_STEPS, "Distinct steps completed or skipped.")
    total_steps: int = column(report.TOTAL_STEPS)
    percent_complete: int = column(report.PERCENT_COMPLETE, "100 once ended, whatever was left; 99 at most before.")
    explain: RunExplanation = inline(description="Why it is where it is, in sentences.")
    started_at: datetime = column("r.started_at")
    ended_at: datetime | None = column("r.ended_at")
