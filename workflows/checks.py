"""What must never be, as statements that find it: the invariants of paths, runs, counts, facts and deliveries.

Each is one statement, so it sees everything as of one instant, and nothing of what is at work may be in it. What was
erased or dropped with old history stays counted; so finished visits may be fewer than their counts, never more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from kit.sql import Sql
from workflows.broken import unreadable_steps
from workflows.edges import stray_visits
from workflows.journal import OVER
from workflows.report import JUMPED_OVER

LATE = timedelta(minutes=5)  # overdue for so long is stuck, not busy


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must never be. `rows` makes the statement that selects what is so nevertheless, a text `found`."""

    name: str
    description: str
    rows: Callable[[datetime], Awaitable[Sql]]


# The first run whose visits are all there: partitions before it may have been dropped.
_KEPT = Sql(
    """
    (
        SELECT coalesce(min(split_part(k.relname, '_from_', 2)::bigint), 0)
        FROM pg_class k
        WHERE k.relispartition
          AND k.relnamespace = 'public'::regnamespace
          AND k.relname ~ '^visit_from_[0-9]+$'
    )
    """
)


def _plain(text: str, **values: object) -> Callable[[datetime], Awaitable[Sql]]:
    async def rows(now: datetime) -> Sql:
        return Sql(text, **{"now": now, "late": LATE, "kept": _KEPT, **values})

    return rows


CHECKS = (
    Check(
        "path_gaps",
        "A path has a visit for every number up to that of its run (I9).",
        _plain(
            """
            SELECT 'run_' || r.id AS found
            FROM run r
            CROSS JOIN LATERAL (
                SELECT count(*) AS visits, coalesce(max(i.seq), 0) AS latest FROM visit i WHERE i.run_id = r.id
            ) AS walked
            WHERE r.id >= {kept}
              AND (walked.visits <> r.seq OR walked.latest <> r.seq)
            """
        ),
    ),
    Check(
        "path_order",
        "The visits of a run are in the order of time (I11).",
        _plain(
            """
            SELECT 'run_' || w.run_id AS found
            FROM (
                SELECT i.run_id, i.entered_at, lag(i.entered_at) OVER (PARTITION BY i.run_id ORDER BY i.seq) AS before
                FROM visit i
            ) AS w
            WHERE w.entered_at < w.before
            """
        ),
    ),
    Check("path_edges", "A path goes along the edges that were drawn (I9).", stray_visits),
    Check(
        "two_in_progress",
        "A run is at one step at most, and that is its latest visit.",
        _plain(
            """
            SELECT 'run_' || i.run_id AS found
            FROM visit i
            LEFT JOIN run r ON r.id = i.run_id
            WHERE i.status = 'IN_PROGRESS'
            GROUP BY i.run_id
            HAVING count(*) > 1 OR bool_or(i.seq IS DISTINCT FROM r.seq)
            """
        ),
    ),
    Check(
        "waiting_mismatch",
        "A run waits exactly while its latest visit is in progress.",
        _plain(
            """
            SELECT 'run_' || r.id AS found
            FROM run r
            LEFT JOIN visit i ON i.run_id = r.id AND i.seq = r.seq
            WHERE r.id >= {kept}
              AND r.waiting <> coalesce(i.status = 'IN_PROGRESS', FALSE)
            """
        ),
    ),
    Check(
        "ended_but_due",
        "An ended run has nothing before it (promise 3).",
        _plain(
            """
            SELECT 'run_' || r.id AS found
            FROM run r
            WHERE r.ended_at IS NOT NULL
              AND (r.due_at IS NOT NULL OR r.waiting OR r.watching OR r.step_key IS NOT NULL)
            """
        ),
    ),
    Check(
        "run_lost",
        "A run that goes on is due some time, or watches its contact (I8).",
        _plain(
            """
            SELECT 'run_' || r.id AS found
            FROM run r
            WHERE r.ended_at IS NULL
              AND r.due_at IS NULL
              AND NOT r.watching
            """
        ),
    ),
    Check(
        "run_stuck",
        "Nobody is due for long in an automation that is active (I8).",
        _plain(
            """
            SELECT 'run_' || r.id AS found
            FROM automation a
            JOIN run r ON r.automation_id = a.id
            WHERE a.status = 'ACTIVE'
              AND r.due_at < {now}::timestamptz - {late}::interval
              AND a.active_since < {now}::timestamptz - {late}::interval
              AND r.paused_at IS NULL
            """
        ),
    ),
    Check(
        "step_unknown",
        "A run stands on a step of the version it goes by.",
        _plain(
            """
            SELECT 'run_' || r.id AS found
            FROM run r
            JOIN automation_version av ON av.id = r.version_id
            WHERE r.ended_at IS NULL
              AND NOT EXISTS (
                  SELECT
                  FROM jsonb_array_elements(av.graph -> 'steps') AS step (body)
                  WHERE step.body ->> 'id' = r.step_key
              )
            """
        ),
    ),
    Check(
        "step_unreadable",
        "Every step of an automation can be read; who comes to one that cannot rests there.",
        unreadable_steps,
    ),
    Check(
        "visit_without_run",
        "Every visit belongs to a run.",
        _plain(
            """
            SELECT DISTINCT 'run_' || i.run_id AS found
            FROM visit i
            WHERE NOT EXISTS (SELECT FROM run r WHERE r.id = i.run_id)
            """
        ),
    ),
    Check(
        "visit_counts",
        "The counts of steps are what counting all visits gives (I10).",
        _plain(
            """
            SELECT format('step %s: %s %s', w.step_id, w.status, concat_ws(' ', w.reason, w.branch)) AS found
            FROM (
                SELECT
                    i.step_id::bigint AS step_id,
                    i.status,
                    CASE
                        WHEN i.status = 'IN_PROGRESS' THEN NULL
                        WHEN i.detail = {over}::jsonb THEN {jumped_over}::text
                        ELSE i.reason
                    END AS reason,
                    i.branch,
                    1 AS visits,
                    0 AS counted
                FROM visit i
                UNION ALL
                SELECT vc.step_id, vc.status, vc.reason, vc.branch, 0, vc.n FROM visit_count vc
            ) AS w
            GROUP BY w.step_id, w.status, w.reason, w.branch
            HAVING sum(w.visits) > sum(w.counted)
                OR w.status = 'IN_PROGRESS' AND sum(w.visits) <> sum(w.counted)
            """,
            over=OVER,
            jumped_over=JUMPED_OVER,
        ),
    ),
    Check(
        "run_counts",
        "The counts of automations are what counting all runs gives (I10).",
        _plain(
            """
            SELECT format('automation_%s: %s', w.automation_id, coalesce(w.end_reason, 'entries')) AS found
            FROM (
                SELECT r.automation_id, ended.reason AS end_reason, 1 AS runs, 0 AS counted, 0 AS inside
                FROM run r
                CROSS JOIN LATERAL (
                    SELECT NULL::text AS reason UNION ALL SELECT r.end_reason WHERE r.ended_at IS NOT NULL
                ) AS ended
                UNION ALL
                SELECT rc.automation_id, rc.end_reason, 0, rc.n, 0 FROM run_count rc
            ) AS w
            GROUP BY w.automation_id, w.end_reason
            HAVING sum(w.runs) > sum(w.counted)
            UNION ALL
            SELECT format('automation_%s: inside', w.automation_id)
            FROM (
                SELECT r.automation_id, 1 AS runs, 0 AS counted FROM run r WHERE r.ended_at IS NULL
                UNION ALL
                SELECT rc.automation_id, 0, CASE WHEN rc.end_reason IS NULL THEN rc.n ELSE - rc.n END FROM run_count rc
            ) AS w
            GROUP BY w.automation_id
            HAVING sum(w.runs) <> sum(w.counted)
            """
        ),
    ),
    Check(
        "email_counts",
        "The counts of e-mails are what counting all of them gives (I10).",
        _plain(
            """
            SELECT format('automation_%s', w.automation_id) AS found
            FROM (
                SELECT
                    es.automation_id, 1 AS sends, (es.opened_at IS NOT NULL)::integer AS opens,
                    (es.clicked_at IS NOT NULL)::integer AS clicks, 0 AS sends_told, 0 AS opens_told, 0 AS clicks_told
                FROM email_send es
                WHERE es.automation_id IS NOT NULL
                UNION ALL
                SELECT em.automation_id, 0, 0, 0, em.sends, em.opens, em.clicks FROM email_count em
            ) AS w
            GROUP BY w.automation_id
            HAVING sum(w.sends) > sum(w.sends_told)
                OR sum(w.opens) > sum(w.opens_told)
                OR sum(w.clicks) > sum(w.clicks_told)
            """
        ),
    ),
    Check(
        "fact_missing",
        "What waits to be looked at is a fact that is there.",
        _plain(
            """
            SELECT 'event_' || pe.event_id AS found
            FROM pending_event pe
            WHERE NOT EXISTS (SELECT FROM event e WHERE e.id = pe.event_id)
            """
        ),
    ),
    Check(
        "fact_stuck",
        "No fact waits for long to be looked at.",
        _plain(
            """
            SELECT 'event_' || e.id AS found
            FROM pending_event pe
            JOIN event e ON e.id = pe.event_id
            WHERE e.recorded_at < {now}::timestamptz - {late}::interval
            """
        ),
    ),
    Check(
        "delivery_without_visit",
        "What a run sends was asked for at one of its steps (I3).",
        _plain(
            """
            SELECT 'delivery_' || dv.id AS found
            FROM delivery dv
            WHERE dv.run_id >= {kept}
              AND dv.seq IS NOT NULL
              AND EXISTS (SELECT FROM run r WHERE r.id = dv.run_id)
              AND NOT EXISTS (SELECT FROM visit i WHERE i.run_id = dv.run_id AND i.seq = dv.seq)
            """
        ),
    ),
    Check(
        "delivery_stuck",
        "Nothing that is to be sent is overdue for long, or held back by a campaign or automation that goes on (I1).",
        _plain(
            """
            SELECT 'delivery_' || dv.id AS found
            FROM delivery dv
            WHERE dv.due_at < {now}::timestamptz - {late}::interval
            UNION ALL
            SELECT 'delivery_' || dv.id
            FROM delivery dv
            WHERE dv.due_at = 'infinity'
              AND NOT EXISTS (SELECT FROM campaign cp WHERE cp.id = dv.campaign_id AND cp.status = 'PAUSED')
              AND NOT EXISTS (
                  SELECT
                  FROM automation a
                  WHERE a.id = dv.automation_id
                    AND a.status = 'INACTIVE'
                    AND a.stopped_by IS NOT NULL
              )
            """
        ),
    ),
)
