"""An automation as a designer draws it: its triggers, its steps, and what came through."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import strawberry

from kit import clock
from kit.sql import Sql
from schema.enums.automations import AutomationStatus, AutomationStop, EntryPolicy, RunStatus, TriggerRuns
from schema.kinds import StepKind, TriggerKind
from schema.node import Connection, Node, global_id
from schema.projection.late import late
from schema.projection.made import column, connected, many, one, table
from schema.scalars import JSON
from schema.types.list import List
from schema.types.run import AutomationRun, with_status
from schema.types.statistics import AUTOMATION, STEP, AutomationStatistics, StepStatistics
from workflows import broken

_STEPS = """automation_version av
    CROSS JOIN LATERAL jsonb_array_elements(av.graph -> 'steps') WITH ORDINALITY AS step (body, position)
    WHERE av.id = a.version_id"""
_BRANCHES = "jsonb_array_elements(step.body -> 'branches') WITH ORDINALITY AS branch (body, position) WHERE TRUE"
_KIND = r"(SELECT upper(regexp_replace(word, '([A-Z])', '_\1', 'g')) FROM jsonb_object_keys(step.body -> 'do') AS word)"


async def _fill(slots: set[str], automations: Iterable[int] | None) -> dict[str, Sql]:
    found = await broken.broken(automations, await clock.now())
    return {"automation_broken": Sql("(a.id = ANY({ids}::bigint[]))", ids=found)}


@strawberry.type(description="What lets contacts in.")
@table("trigger", "g", "trigger")
class Trigger(Node):
    id: strawberry.ID = global_id("trigger", "g")
    kind: TriggerKind = column("g.kind")
    runs: TriggerRuns = column("g.runs")
    on: JSON = column("g.parameters", "As it was given: {tagAdded: {tag}}.")
    where: JSON | None = column("g.condition", "Which contacts it counts for, as it was given.")
    enabled: bool = column("g.enabled", "False: it lets nobody in.")


@strawberry.type(description="A way out of a step; without `next` the automation ends there.")
@table("", "branch")
class Branch:
    name: str = column("branch.body ->> 'name'")
    next: str | None = column("branch.body ->> 'next'")


@strawberry.type(description="A step of an automation, as its designer drew it.")
@table("", "step")
class Step:
    id: str = column("step.body ->> 'id'", "Chosen by the designer, kept across edits.")
    label: str = column("step.body ->> 'label'")
    kind: StepKind = column(_KIND)
    do: JSON = column("step.body -> 'do'", "As it was given: {addTag: {tag}}; can be given back unchanged.")
    next: str | None = column("step.body ->> 'next'", "The step that follows; null is the end.")
    branches: list[Branch] = many(_BRANCHES, order="branch.position")
    statistics: StepStatistics = one(STEP)


@strawberry.type(description="What people design to lead contacts through.")
@table("automation", "a", "automation")
class Automation(Node):
    id: strawberry.ID = global_id("automation", "a")
    name: str = column("a.name")
    description: str | None = column("a.description")
    status: AutomationStatus = column("a.status")
    stopped_by: AutomationStop | None = column(
        "a.stopped_by", "Why it stopped by itself; its e-mails are held until activateAutomation lets it go on."
    )
    timezone: str | None = column("a.timezone", "Null: the account's.")
    entry_policy: EntryPolicy = column("a.entry_policy")
    exit_on_unsubscribe: bool = column("a.exit_on_unsubscribe")
    unsubscribe_lists: list[List] = many(
        "contact_list l WHERE l.id = ANY(a.unsubscribe_lists)",
        order="l.name, l.id",
        description="What the link in its mails takes people off; none: all lists.",
    )
    version: int = column("a.version", "Counts its edits.")
    draft: JSON | None = column("a.draft", "Triggers and steps that are not published yet, as they were given.")
    has_broken_references: bool = column(
        late("automation_broken", _fill), "Whether steps or triggers name a list, a tag or anything else that is gone."
    )
    triggers: list[Trigger] = many(
        "trigger g WHERE g.automation_id = a.id AND g.removed_at IS NULL", order="g.position, g.id"
    )
    steps: list[Step] = many(_STEPS, order="step.position")
    statistics: AutomationStatistics = one(AUTOMATION)
    created_at: datetime = column("a.created_at")
    updated_at: datetime = column("a.updated_at")

    @connected("r.automation_id = a.id", alias="r", newest_first=True, filters={"status": with_status})
    def runs(
        self,
        status: RunStatus | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[AutomationRun]: ...
