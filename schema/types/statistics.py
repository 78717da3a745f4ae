"""What came through an automation and through each of its steps, from maintained counts."""

from __future__ import annotations

import strawberry

from kit.sql import Sql, text
from schema.projection.made import column, inline, many, table
from schema.types.counts import BranchCount, EndCount, SkipCount
from workflows.report import JUMPED_OVER

_OVER = text(JUMPED_OVER)
_EMAILS = """(
    SELECT coalesce(sum(em.sends), 0) AS sends,
           coalesce(sum(em.opens), 0) AS opens,
           coalesce(sum(em.clicks), 0) AS clicks
    FROM email_count em
    WHERE em.automation_id = counted.automation_id AND {such}
)"""

STEP = Sql(
    """(
        SELECT coalesce(sum(vc.n) FILTER (WHERE vc.reason IS DISTINCT FROM {over}), 0) AS entered,
               coalesce(sum(vc.n) FILTER (WHERE vc.status = 'IN_PROGRESS'), 0) AS at_step,
               coalesce(sum(vc.n) FILTER (WHERE vc.status = 'COMPLETED'), 0) AS completed,
               coalesce(
                   sum(vc.n) FILTER (WHERE vc.status = 'SKIPPED' AND vc.reason IS DISTINCT FROM {over}), 0
               ) AS skipped_at_step,
               coalesce(sum(vc.n) FILTER (WHERE vc.reason = {over}), 0) AS jumped_over,
               coalesce(sum(vc.n) FILTER (WHERE vc.status = 'FAILED'), 0) AS failed,
               array_agg(DISTINCT vc.step_id) AS step_ids,
               av.automation_id,
               step.body -> 'do' -> 'goal' IS NOT NULL AS is_goal
        FROM automation_step s
        JOIN visit_count vc ON vc.step_id = s.id
        WHERE s.automation_id = av.automation_id AND s.key = step.body ->> 'id'
    ) counted
    CROSS JOIN LATERAL {emails} AS mail""",
    over=_OVER,
    emails=Sql(_EMAILS, such=Sql("em.step_id = ANY(counted.step_ids)")),
)

# Who is inside twice is one contact: of their runs all but the first are taken off again.
AUTOMATION = Sql(
    """(
        SELECT coalesce(sum(CASE WHEN rc.end_reason IS NULL THEN rc.n ELSE - rc.n END), 0) - (
                   SELECT count(*)
                   FROM run r
                   WHERE r.automation_id = a.id
                     AND r.ended_at IS NULL
                     AND r.entry_number > 1
                     AND EXISTS (
                         SELECT
                         FROM run earlier
                         WHERE earlier.contact_id = r.contact_id
                           AND earlier.automation_id = r.automation_id
                           AND earlier.entry_number < r.entry_number
                           AND earlier.ended_at IS NULL
                     )
               ) AS current_contacts,
               coalesce(sum(rc.n) FILTER (WHERE rc.end_reason IS NULL), 0) AS entries,
               coalesce(sum(rc.n) FILTER (WHERE rc.end_reason IS NOT NULL), 0) AS completions,
               a.id AS automation_id
        FROM run_count rc
        WHERE rc.automation_id = a.id
    ) counted
    CROSS JOIN LATERAL {emails} AS mail""",
    emails=Sql(_EMAILS, such=Sql("TRUE")),
)

_BY_REASON = Sql(
    """(
        SELECT vc.reason, sum(vc.n) AS count
        FROM visit_count vc
        WHERE vc.step_id = ANY(counted.step_ids)
          AND vc.status = 'SKIPPED'
          AND vc.reason IS DISTINCT FROM {over}
        GROUP BY vc.reason
        HAVING sum(vc.n) <> 0
    ) part WHERE TRUE""",
    over=_OVER,
)
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


@strawberry.type(description="How often a goal was met: by who jumped there, and by who came there and met it.")
@table("", "counted")
class GoalStatistics:
    achieved: int = column("counted.completed")
    rate: float | None = column(
        """round(counted.completed / nullif((
            SELECT sum(rc.n) FROM run_count rc WHERE rc.automation_id = counted.automation_id AND rc.end_reason IS NULL
        ), 0), 4)""",
        "By entries into the automation; null without one.",
    )


_SENDS = "E-mails that went out, as far as is known."
_OPEN_RATE = "E-mails that a person opened, by sends; null without one."
_CLICK_RATE = "E-mails in which a person clicked, by sends; null without one."


def _rate(part: str) -> Sql:
    return Sql("round(mail.{part} / nullif(mail.sends, 0), 4)", part=Sql(part))


@strawberry.type(description="entered = atStep + completed + skippedAtStep + failed.")
@table("", "counted")
class StepStatistics:
    entered: int = column("counted.entered")
    at_step: int = column("counted.at_step", "Runs that stand on the step now.")
    completed: int = column("counted.completed")
    skipped_at_step: int = column("counted.skipped_at_step")
    jumped_over: int = column("counted.jumped_over", "Runs that a goal led past the step; they did not enter it.")
    failed: int = column("counted.failed")
    skipped: list[SkipCount] = many(_BY_REASON, order="part.reason", description="Skips at the step by reason.")
    branches: list[BranchCount] = many(_BY_BRANCH, order="part.name")
    goal: GoalStatistics | None = inline("counted.is_goal", "Of goals alone.")
    email_sends: int = column("mail.sends", _SENDS)
    open_rate: float | None = column(_rate("opens"), _OPEN_RATE)
    click_rate: float | None = column(_rate("clicks"), _CLICK_RATE)


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
    email_sends: int = column("mail.sends", _SENDS)
    open_rate: float | None = column(_rate("opens"), _OPEN_RATE)
    click_rate: float | None = column(_rate("clicks"), _CLICK_RATE)
