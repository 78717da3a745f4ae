"""What must be true at rest: nothing lost, nothing twice, every path whole, every count right."""

from __future__ import annotations

from typing import Any

import asyncpg

from tests.kill.outside import DEAF, GONE, Outside

# Steps of two automations in the order everybody takes them.
WAYS = {"Main": ["mark", "rest", "note", "pause", "done"], "Echo": ["count", "hope", "task"]}

# Each finds what must not be there; the name says what it would be.
FAULTS = {
    "facts that nobody looked at": "SELECT pe.event_id FROM pending_event pe",
    "runs that did not end": "SELECT r.id, r.step_key, r.waiting, r.due_at FROM run r WHERE r.ended_at IS NULL",
    "runs that did not end as they should": "SELECT r.id, r.end_reason FROM run r WHERE r.end_reason <> 'COMPLETED'",
    "entries with wrong numbers": """
        SELECT r.contact_id, array_agg(r.entry_number ORDER BY r.id)
        FROM run r
        GROUP BY r.contact_id, r.automation_id
        HAVING array_agg(r.entry_number ORDER BY r.entry_number)
            <> array(SELECT generate_series(1, count(r.id)::integer))
    """,
    "contacts on the list that did not enter exactly once for it": """
        SELECT m.contact_id, count(r.id)
        FROM membership m
        LEFT JOIN (run r JOIN automation a ON a.id = r.automation_id AND a.name = 'Main')
            ON r.contact_id = m.contact_id AND r.via = 'TRIGGER'
        GROUP BY m.contact_id
        HAVING count(r.id) <> 1
    """,
    "contacts on the list without exactly one fact of it": """
        SELECT m.contact_id, count(e.id)
        FROM membership m
        LEFT JOIN event e ON e.contact_id = m.contact_id AND e.kind = 'LIST_SUBSCRIBED'
        GROUP BY m.contact_id
        HAVING count(e.id) <> 1
    """,
    "contacts that did not come through Main, or not exactly once through Echo and Post": """
        SELECT c.id, array_agg(a.name)
        FROM contact c
        LEFT JOIN (run r JOIN automation a ON a.id = r.automation_id) ON r.contact_id = c.id
        GROUP BY c.id
        HAVING count(r.id) FILTER (WHERE a.name = 'Main') = 0
            OR count(r.id) FILTER (WHERE a.name = 'Echo') <> 1
            OR count(r.id) FILTER (WHERE a.name = 'Post') <> 1
    """,
    "runs of Main without exactly one note": """
        SELECT r.id, count(n.id)
        FROM run r
        JOIN automation a ON a.id = r.automation_id AND a.name = 'Main'
        LEFT JOIN note n ON n.run_id = r.id AND n.contact_id = r.contact_id
        GROUP BY r.id
        HAVING count(n.id) <> 1
    """,
    "notes of no run": "SELECT n.id FROM note n LEFT JOIN run r ON r.id = n.run_id WHERE r.id IS NULL",
    "runs of Echo and Post without exactly one task": """
        SELECT r.id, count(k.id)
        FROM run r
        JOIN automation a ON a.id = r.automation_id AND a.name <> 'Main'
        LEFT JOIN task k ON k.run_id = r.id AND k.contact_id = r.contact_id
        GROUP BY r.id
        HAVING count(k.id) <> 1
    """,
    "tasks of no run": "SELECT k.id FROM task k LEFT JOIN run r ON r.id = k.run_id WHERE r.id IS NULL",
    "contacts that were not counted exactly once": """
        SELECT c.id, v.value
        FROM contact c
        LEFT JOIN field_value v ON v.contact_id = c.id
        WHERE v.number_value IS DISTINCT FROM 1
    """,
    "tags that were not given exactly once": """
        SELECT c.id, t.name, count(e.id)
        FROM contact c
        CROSS JOIN tag t
        LEFT JOIN event e ON e.contact_id = c.id AND e.kind = 'TAG_ADDED' AND e.subject = t.id
        LEFT JOIN contact_tag ct ON ct.contact_id = c.id AND ct.tag_id = t.id
        GROUP BY c.id, t.name, ct.tag_id
        HAVING count(e.id) <> 1 OR ct.tag_id IS NULL
    """,
    "runs without exactly one fact of their beginning and of their end": """
        SELECT r.id, told.kinds
        FROM run r
        LEFT JOIN (
            SELECT e.data ->> 'run' AS run, array_agg(e.kind ORDER BY e.kind) AS kinds
            FROM event e
            WHERE e.kind IN ('AUTOMATION_ENTERED', 'AUTOMATION_ENDED')
            GROUP BY e.data ->> 'run'
        ) told ON told.run = 'run_' || r.id
        WHERE told.kinds IS DISTINCT FROM ARRAY['AUTOMATION_ENDED', 'AUTOMATION_ENTERED']
    """,
    "paths with a gap, a repeat, or another way than drawn": """
        SELECT r.id, w.steps, w.seqs
        FROM run r
        JOIN automation a ON a.id = r.automation_id
        LEFT JOIN (
            SELECT i.run_id,
                   array_agg(s.key ORDER BY i.seq) AS steps,
                   array_agg(i.seq ORDER BY i.seq) AS seqs
            FROM visit i
            JOIN automation_step s ON s.id = i.step_id
            GROUP BY i.run_id
        ) w ON w.run_id = r.id
        WHERE (a.name = 'Main' AND w.steps IS DISTINCT FROM $1::text[])
           OR (a.name = 'Echo' AND w.steps IS DISTINCT FROM $2::text[])
           OR w.seqs IS DISTINCT FROM array(SELECT generate_series(1, r.seq))
    """,
    "ways through Post that nobody drew (done +, skipped -)": """
        SELECT w.way
        FROM run r
        JOIN automation a ON a.id = r.automation_id AND a.name = 'Post'
        CROSS JOIN LATERAL (
            SELECT string_agg(s.key || CASE i.status WHEN 'COMPLETED' THEN '+' ELSE '-' END, ' ' ORDER BY i.seq) AS way
            FROM visit i
            JOIN automation_step s ON s.id = i.step_id
            WHERE i.run_id = r.id
        ) w
        WHERE (w.way ~ '^(divide[+] (mail[+-] |hook[+-] )?|divide- )long- through[+] thank[+]$') IS NOT TRUE
    """,
    "visits that are neither green ticks nor skipped for a reason": """
        SELECT i.run_id, s.key, i.status, i.reason
        FROM visit i
        JOIN run r ON r.id = i.run_id
        JOIN automation a ON a.id = r.automation_id
        JOIN automation_step s ON s.id = i.step_id
        WHERE i.finished_at IS NULL
           OR i.status <> 'COMPLETED'
              AND NOT (a.name = 'Post' AND i.reason = 'GOAL_JUMP')
              AND NOT (s.key = 'mail' AND i.reason = 'NO_ACTIVE_LIST' AND NOT EXISTS (
                  SELECT FROM membership m WHERE m.contact_id = r.contact_id
              ))
    """,
    "splits that are not even, or count otherwise than they sent": """
        SELECT sl.counts
        FROM split sl
        WHERE (SELECT max(n) - min(n) > 1 OR sum(n) <> (SELECT count(*) FROM split_path) FROM unnest(sl.counts) AS n)
           OR (SELECT count(*) FROM split_path) <> (
               SELECT count(*)
               FROM visit i
               JOIN automation_step s ON s.id = i.step_id AND s.key = 'divide'
               WHERE i.status = 'COMPLETED'
           )
    """,
    "visits that sent nothing, and deliveries nobody asked for": """
        SELECT i.run_id, i.seq, dv.id
        FROM (
            SELECT i.run_id, i.seq
            FROM visit i
            JOIN automation_step s ON s.id = i.step_id AND s.key IN ('mail', 'hook')
            WHERE i.status = 'COMPLETED'
        ) AS i
        FULL JOIN delivery dv ON dv.run_id = i.run_id AND dv.seq = i.seq
        WHERE i.run_id IS NULL OR dv.id IS NULL
    """,
    "mails that were sent without exactly one fact of it": """
        SELECT dv.id, count(e.id)
        FROM delivery dv
        LEFT JOIN event e ON e.contact_id = dv.contact_id AND e.kind = 'EMAIL_SENT'
        WHERE dv.channel = 'EMAIL'
        GROUP BY dv.id
        HAVING count(e.id) <> (dv.status = 'SENT' OR dv.bounce IS NOT NULL)::integer
    """,
    "visits out of order in time": """
        SELECT i.run_id, i.seq
        FROM visit i
        JOIN run r ON r.id = i.run_id
        LEFT JOIN visit before ON before.run_id = i.run_id AND before.seq = i.seq - 1
        WHERE i.finished_at < i.entered_at
           OR i.entered_at < coalesce(before.finished_at, r.started_at)
           OR i.finished_at > r.ended_at
    """,
    "waits that were too short": """
        SELECT i.run_id, i.seq, i.finished_at - i.entered_at
        FROM visit i
        JOIN automation_step s ON s.id = i.step_id AND s.kind = 'WAIT_FOR'
        WHERE i.status = 'COMPLETED'
          AND i.finished_at - i.entered_at < interval '1 second'
    """,
    "visits that were counted wrongly": """
        SELECT coalesce(i.step_id, vc.step_id), i.n, vc.n
        FROM (SELECT i.step_id, i.status, count(*) AS n FROM visit i GROUP BY 1, 2) i
        FULL JOIN (
            SELECT vc.step_id, vc.status, sum(vc.n) AS n FROM visit_count vc GROUP BY 1, 2 HAVING sum(vc.n) <> 0
        ) vc
            ON vc.step_id = i.step_id AND vc.status = i.status
        WHERE i.n IS DISTINCT FROM vc.n
    """,
    "runs that were counted wrongly": """
        SELECT coalesce(r.automation_id, rc.automation_id), r.n, rc.n
        FROM (
            SELECT r.automation_id, r.end_reason, count(*) AS n FROM run r WHERE r.ended_at IS NOT NULL GROUP BY 1, 2
            UNION ALL
            SELECT r.automation_id, '', count(*) FROM run r GROUP BY 1
        ) r
        FULL JOIN (
            SELECT rc.automation_id, coalesce(rc.end_reason, '') AS end_reason, sum(rc.n) AS n
            FROM run_count rc
            GROUP BY 1, 2
        ) rc ON rc.automation_id = r.automation_id AND rc.end_reason = r.end_reason
        WHERE r.n IS DISTINCT FROM rc.n
    """,
}


async def faults(connection: asyncpg.Connection) -> dict[str, list[Any]]:
    """Everything that must not be there and is, a few rows of each."""
    found = {}
    for name, query in FAULTS.items():
        ways = [WAYS["Main"], WAYS["Echo"]] if "$1" in query else []
        if rows := await connection.fetch(query, *ways):
            found[f"{len(rows)} {name}"] = [dict(row) for row in rows[:3]]
    return found


async def told(connection: asyncpg.Connection, outside: Outside) -> dict[str, int]:
    """Compares what is stored with what was heard outside (I1, I2, I4, I10); how many mails and webhooks there were.

    A mail arrived exactly once if it is SENT, and at most once if it is UNKNOWN. A webhook arrived at least once.
    """
    rows = await connection.fetch(
        """
        SELECT dv.id, dv.channel, dv.status, dv.reason, c.email
        FROM delivery dv
        JOIN contact c ON c.id = dv.contact_id
        """
    )
    mails, hooks = outside.mails(), outside.hooks()
    unknown = 0
    for row in rows:
        if row["channel"] == "WEBHOOK":
            assert row["status"] == "SENT", dict(row)
            assert hooks.pop(f"delivery_{row['id']}", 0) >= 1, dict(row)
            continue
        copies = mails.pop(row["email"], 0)
        unknown += row["status"] == "UNKNOWN" and not row["email"].startswith(DEAF)
        match row["status"]:
            case "SENT":
                assert copies == 1, (copies, dict(row))
                assert not row["email"].startswith((DEAF, GONE)), dict(row)
            case "UNKNOWN":
                assert copies <= 1, (copies, dict(row))
            case _:
                assert row["status"] == "FAILED", dict(row)
                assert row["email"].startswith(GONE) or row["reason"] == "CRASHED", dict(row)
                assert copies == 0, (copies, dict(row))
    assert not mails, "somebody was written to whom nobody wanted to"
    assert not hooks, "somebody was told what nobody wanted to"
    by_channel = [sum(row["channel"] == channel for row in rows) for channel in ("EMAIL", "WEBHOOK")]
    return {"mails": by_channel[0], "webhooks": by_channel[1], "unknown": unknown}
