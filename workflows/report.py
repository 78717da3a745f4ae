"""What can be read of runs and automations: how far a run is, what came through a step; and the counts, added up."""

from __future__ import annotations

from datetime import datetime

from kit import db
from kit.sql import Sql
from workflows import reasons

ROWS_MAX = 50_000  # added up in one statement
GOAL_JUMP = "GOAL_JUMP"
JUMPED_OVER = "JUMPED_OVER"  # how visits of steps that a goal led past are counted: nobody was there

# Expressions over `r` (run) and `i` (visit), as domain 2.8 and 2.9 define them.

STATE = Sql(
    """
    CASE
        WHEN r.ended_at IS NOT NULL THEN 'ENDED'
        WHEN r.paused_at IS NOT NULL THEN 'PAUSED'
        WHEN NOT EXISTS (SELECT FROM automation a WHERE a.id = r.automation_id AND a.status = 'ACTIVE') THEN 'PAUSED'
        WHEN r.waiting AND r.attempt = 0 THEN 'WAITING'
        ELSE 'RUNNING'
    END
    """
)

COMPLETED_STEPS = Sql(
    """
    (
        SELECT count(DISTINCT s.key)
        FROM visit i
        JOIN automation_step s ON s.id = i.step_id
        WHERE i.run_id = r.id
          AND i.status IN ('COMPLETED', 'SKIPPED')
    )
    """
)

TOTAL_STEPS = Sql(
    """
    (
        SELECT jsonb_array_length(av.graph -> 'steps')
        FROM automation_version av
        WHERE av.id = r.version_id
    )
    """
)

PERCENT_COMPLETE = Sql(
    """
    CASE WHEN r.ended_at IS NOT NULL THEN 100 ELSE least(99, 100 * {completed} / greatest({total}, 1)) END
    """,
    completed=COMPLETED_STEPS,
    total=TOTAL_STEPS,
)

REASON_TEXT = reasons.text_sql(Sql("i.reason"))


async def fold(now: datetime) -> int:
    """Add up the rows that batches appended to the counts; how many were there. Readers see the same sums throughout,
    and of several workers one does it."""
    return await _fold_visits() + await _fold_runs() + await _fold_emails()


async def _fold_visits() -> int:
    return await db.value(
        Sql(
            """
            WITH gone AS (
                DELETE FROM visit_count vc
                WHERE vc.ctid = ANY (ARRAY(
                    SELECT old.ctid
                    FROM visit_count old
                    WHERE old.step_id IN (
                        SELECT crowded.step_id FROM visit_count crowded GROUP BY crowded.step_id HAVING count(*) > 20
                    )
                    LIMIT {rows_max}::integer
                    FOR UPDATE SKIP LOCKED
                ))
                RETURNING vc.step_id, vc.status, vc.reason, vc.branch, vc.n
            ),
            added_up AS (
                INSERT INTO visit_count (step_id, status, reason, branch, n)
                SELECT gone.step_id, gone.status, gone.reason, gone.branch, sum(gone.n)
                FROM gone
                GROUP BY gone.step_id, gone.status, gone.reason, gone.branch
                HAVING sum(gone.n) <> 0
            )
            SELECT count(*) FROM gone
            """,
            rows_max=ROWS_MAX,
        )
    )


async def _fold_runs() -> int:
    return await db.value(
        Sql(
            """
            WITH gone AS (
                DELETE FROM run_count rc
                WHERE rc.ctid = ANY (ARRAY(
                    SELECT old.ctid
                    FROM run_count old
                    WHERE old.automation_id IN (
                        SELECT crowded.automation_id
                        FROM run_count crowded
                        GROUP BY crowded.automation_id
                        HAVING count(*) > 20
                    )
                    LIMIT {rows_max}::integer
                    FOR UPDATE SKIP LOCKED
                ))
                RETURNING rc.automation_id, rc.end_reason, rc.n
            ),
            added_up AS (
                INSERT INTO run_count (automation_id, end_reason, n)
                SELECT gone.automation_id, gone.end_reason, sum(gone.n)
                FROM gone
                GROUP BY gone.automation_id, gone.end_reason
                HAVING sum(gone.n) <> 0
            )
            SELECT count(*) FROM gone
            """,
            rows_max=ROWS_MAX,
        )
    )


async def _fold_emails() -> int:
    return await db.value(
        Sql(
            """
            WITH gone AS (
                DELETE FROM email_count em
                WHERE em.ctid = ANY (ARRAY(
                    SELECT old.ctid
                    FROM email_count old
                    WHERE old.automation_id IN (
                        SELECT crowded.automation_id
                        FROM email_count crowded
                        GROUP BY crowded.automation_id
                        HAVING count(*) > 20 + count(DISTINCT crowded.step_id)
                    )
                    LIMIT {rows_max}::integer
                    FOR UPDATE SKIP LOCKED
                ))
                RETURNING em.automation_id, em.step_id, em.sends, em.opens, em.clicks
            ),
            added_up AS (
                INSERT INTO email_count (automation_id, step_id, sends, opens, clicks)
                SELECT gone.automation_id, gone.step_id, sum(gone.sends), sum(gone.opens), sum(gone.clicks)
                FROM gone
                GROUP BY gone.automation_id, gone.step_id
            )
            SELECT count(*) FROM gone
            """,
            rows_max=ROWS_MAX,
        )
    )
