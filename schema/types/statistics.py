"""What came through an automation and through each of its steps, from maintained counts."""

from __future__ import annotations

import strawberry

from schema.enums import RunEndReason
from schema.projection.made import column, many, table

STEP = """(
    SELECT coalesce(sum(vc.n), 0) AS entered,
           coalesce(sum(vc.n) FILTER (WHERE vc.status = 'IN_PROGRESS'), 0) AS at_step,
           coalesce(sum(vc.n) FILTER (WHERE vc.status = 'COMPLETED'), 0) AS completed,
           coalesce(sum(vc.n) FILTER (WHERE vc.status = 'SKIPPED'), 0) AS skipped_at_step,
           coalesce(sum(vc.n) FILTER (WHERE vc.status = 'FAILED'), 0) AS failed,
           array_agg(DISTINCT vc.step_id) AS step_ids
    FROM automation_step s
    JOIN visit_count vc ON vc.step_id = s.id
    WHERE s.automation_id = av.automation_id AND s.key = step.body ->> 'id'
) counted"""

AUTOMATION = """(
    SELECT (
               SELECT count(DISTINCT r.contact_id)
               FROM run r
               WHERE r.automation_id = a.id AND r.ended_at IS NULL
           ) AS current_contacts,
           coalesce(sum(rc.n) FILTER (WHERE rc.end_reason IS NULL), 0) AS entries,
           coalesce(sum(rc.n) FILTER (WHERE rc.end_reason IS NOT NULL), 0) AS completions,
           a.id AS automation_id
    FROM run_count rc
    WHERE rc.automation_id = a.id
) counted"""

_BY_REASON = """(
    SELECT vc.reason, sum(vc.n) AS count
    FROM visit_count vc
    WHERE vc.step_id = ANY(counted.step_ids) AND vc.status = 'SKIPPED'
    GROUP BY vc.reason
    HAVING sum(vc.n) <> 0
) part WHERE TRUE"""
_BY_BRANCH = """(
    SELECT vc.branch AS name, sum(vc.n) AS count
    FROM visit_count vc
    WHERE vc.step_id = ANY(counted.step_ids) AND vc.branch IS NOT NULL
    GROUP BY vc.branch
    HAVING sum(vc.n) <> 0
) part WHERE TRUE"""
_BY_END = """(
    SELECT rc.end_reason, sum(rc.n) AS count
    FROM run_count rc
    WHERE rc.automation_id = counted.automation_id AND rc.end_reason IS NOT NULL
    GROUP BY rc.end_reason
    HAVING sum(rc.n) <> 0
) part WHERE TRUE"""


@strawberry.type(description="How many were skipped at a step for one reason.")
@table("", "part")
class SkipCount:
    reason: str = column("part.reason")
    count: int = column("part.count")


@strawberry.type(description="How many took a branch.")
@table("", "part")
class BranchCount:
    name: str = column("part.name")
    count: int = column("part.count")


@strawberry.type(description="How many runs ended for one reason.")
@table("", "part")
class EndCount:
    end_reason: RunEndReason = column("part.end_reason")
    count: int = column("part.count")


@strawberry.type(description="entered = atStep + completed + skippedAtStep + failed.")
@table("", "counted")
class StepStatistics:
    entered: int = column("counted.entered")
    at_step: int = column("counted.at_step", "Runs that stand on the step now.")
    completed: int = column("counted.completed")
    skipped_at_step: int = column("counted.skipped_at_step")
    failed: int = column("counted.failed")
    skipped: list[SkipCount] = many(_BY_REASON, order="part.reason", description="Skips by reason.")
    branches: list[BranchCount] = many(_BY_BRANCH, order="part.name")


@strawberry.type(description="What came through an automation.")
@table("", "counted")
class AutomationStatistics:
    current_contacts: int = column("counted.current_contacts", "Contacts that are inside, each once.")
    entries: int = column("counted.entries")
    completions: int = column("counted.completions", "Runs at 100 %, those ended by hand included.")
    completion_rate: float | None = column(
        "round(counted.completions / nullif(counted.entries, 0), 4)", "Completions by entries; null without an entry."
    )
    by_end_reason: list[EndCount] = many(_BY_END, order="part.end_reason")
