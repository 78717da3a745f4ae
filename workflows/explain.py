"""Why a run is where it is: how it came in, what became of it at each step, what it waits for, as sentences in SQL.

What a step decided is in its visit. How the contact stands to the step's rule is not kept with every visit, which would
make paths several times as large: it is looked at when somebody asks, and is as of that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from kit import db
from kit.sql import Sql, join
from segments import explaining, rule
from segments.condition import Condition
from segments.names import names
from segments.reading import Reading
from workflows import reasons

RUNS_MAX = 20  # of which rules are explained in one answer
NOTHING = Sql("NULL::jsonb")


def _at(instant: str) -> Sql:
    return Sql("to_char({at} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI \"UTC\"')", at=Sql(instant))


# Over `r` (run).
ENTRY = Sql(
    """(
        SELECT format(
            '%s on %s%s, and entered “%s”%s; its entry no. %s%s.',
            r.entry_label,
            {started},
            coalesce(
                (
                    SELECT ' by ' || u.name
                    FROM user_account u
                    WHERE r.actor = 'user:' || u.id
                ),
                ''
            ),
            a.name,
            coalesce(
                (
                    SELECT format(
                        ' by the trigger %s, which lets contacts in %s%s',
                        g.kind,
                        CASE g.runs WHEN 'ONCE' THEN 'once' ELSE 'each time' END,
                        CASE WHEN g.condition IS NOT NULL THEN ' if they meet its rule' ELSE '' END
                    )
                    FROM trigger g
                    WHERE g.id = r.trigger_id
                ),
                CASE r.via WHEN 'TRIGGER' THEN ' by a trigger' ELSE ', ' || lower(r.via) END
            ),
            r.entry_number,
            CASE a.entry_policy
                WHEN 'ANY' THEN ', and the automation sets no limit'
                WHEN 'ONCE' THEN ', the only one that the automation allows'
                ELSE ', and it was not inside'
            END
        )
        FROM automation a
        WHERE a.id = r.automation_id
    )""",
    started=_at("r.started_at"),
)

# Over `r`: what it does now.
NOW = Sql(
    """(
        CASE
            WHEN r.ended_at IS NOT NULL THEN
                format('Ended on %s: %s.', {ended}, lower(replace(r.end_reason, '_', ' ')))
            WHEN r.paused_at IS NOT NULL THEN format('Held by hand since %s.', {paused})
            WHEN NOT EXISTS (SELECT FROM automation a WHERE a.id = r.automation_id AND a.status = 'ACTIVE') THEN
                'Held, for the automation is not active.'
            WHEN r.attempt > 0 THEN
                format('Will be tried again on %s, after %s failed tries.', {due}, r.attempt)
            WHEN NOT r.waiting THEN 'About to go on.'
            ELSE concat_ws(
                ' ',
                'Waits',
                CASE
                    WHEN r.deadline_at IS NOT NULL THEN 'until ' || {deadline} || ' at the latest'
                    WHEN NOT r.watching AND r.due_at IS NOT NULL THEN 'until ' || {due}
                END,
                CASE WHEN r.watching THEN 'for a change of the contact' END
            ) || CASE
                WHEN r.watching AND r.due_at IS NOT NULL AND r.due_at IS DISTINCT FROM r.deadline_at
                    THEN '; looked at again on ' || {due} || ' in any case.'
                ELSE '.'
            END
        END
    )""",
    ended=_at("r.ended_at"),
    paused=_at("r.paused_at"),
    due=_at("r.due_at"),
    deadline=_at("r.deadline_at"),
)

# Over `i` (visit) and `s` (its step).
VISIT = Sql(
    """(
        s.label || CASE i.status
            WHEN 'IN_PROGRESS' THEN ': there since ' || {entered}
            WHEN 'SKIPPED' THEN ': skipped on ' || {finished} || '. ' || {reason}
            WHEN 'FAILED' THEN ': failed on ' || {finished} || '. ' || {reason}
            ELSE CASE
                WHEN i.branch IS NOT NULL THEN ': went along ' || i.branch || ' on ' || {finished}
                WHEN i.detail ->> 'noop' IS NOT NULL THEN ': was so already on ' || {finished}
                WHEN i.detail ->> 'timedOut' IS NOT NULL THEN ': its time was up on ' || {finished}
                WHEN i.detail ->> 'jumped' IS NOT NULL THEN ': the goal was met and led here on ' || {finished}
                WHEN i.finished_at > i.entered_at THEN
                    ': waited from ' || {entered} || ' to ' || {finished}
                ELSE ': done on ' || {finished}
            END
        END
    )""",
    entered=_at("i.entered_at"),
    finished=_at("i.finished_at"),
    reason=reasons.text_sql(Sql("i.reason")),
)


async def rules(run_ids: Iterable[int] | None, *, now: datetime) -> tuple[Sql, Sql]:
    """How the contacts of these runs stand now to the rules they met on their way: over `r` and `s` the rule of a step,
    over `r` that of the trigger. NULL where there is none, and where it is not said whose rules are asked for."""
    wanted = sorted(set(run_ids or ()))[:RUNS_MAX]
    steps, triggers = await _of_steps(wanted), await _of_triggers(wanted)
    if not steps and not triggers:
        return NOTHING, NOTHING
    reading = replace(await rule.reading(now), of_few=True)
    return (
        await _cases(steps, Sql("r.automation_id::text || ' ' || s.key"), reading),
        await _cases(triggers, Sql("r.trigger_id::text"), reading),
    )


async def _of_steps(run_ids: Sequence[int]) -> dict[str, Any]:
    """The rules in the live versions of these runs' automations, as they were given, by automation and step."""
    rows = await db.rows(
        Sql(
            """
            SELECT DISTINCT ON (r.version_id) r.automation_id, av.graph
            FROM run r
            JOIN automation_version av ON av.id = r.version_id
            WHERE r.id = ANY({ids}::bigint[])
            ORDER BY r.version_id
            """,
            ids=list(run_ids),
        )
    )
    found: dict[str, Any] = {}
    for row in rows:
        for step in orjson.loads(row["graph"])["steps"]:
            (told,) = step["do"].values()
            if told.get("where") is not None:
                found[f"{row['automation_id']} {step['id']}"] = told["where"]
    return found


async def _of_triggers(run_ids: Sequence[int]) -> dict[str, Any]:
    rows = await db.rows(
        Sql(
            """
            SELECT g.id, g.condition
            FROM trigger g
            WHERE g.condition IS NOT NULL
              AND g.id IN (SELECT r.trigger_id FROM run r WHERE r.id = ANY({ids}::bigint[]))
            """,
            ids=list(run_ids),
        )
    )
    return {str(row["id"]): orjson.loads(row["condition"]) for row in rows}


async def _cases(rules_: dict[str, Any], key: Sql, reading: Reading) -> Sql:
    """The explanation of the rule under `key` for the run's contact, as JSON."""
    readable: dict[str, tuple[Any, Condition]] = {}
    for name, where in rules_.items():
        condition = rule.saved(where)
        if condition is not None:
            readable[name] = (where, condition)
    if not readable:
        return NOTHING
    called = await names(each for _, condition in readable.values() for each in condition.references())
    return Sql(
        "CASE {key} {cases} END",
        key=key,
        cases=join(
            " ",
            (
                Sql(
                    "WHEN {name}::text THEN (SELECT {tree} FROM contact c WHERE c.id = r.contact_id)",
                    name=name,
                    tree=explaining.explained(where, condition, reading, called),
                )
                for name, (where, condition) in readable.items()
            ),
        ),
    )
