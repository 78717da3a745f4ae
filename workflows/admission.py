"""Who is let into an automation, and who is not: entry policies, triggers that count once, the cap: one statement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kit import bell, db
from kit.sql import Sql
from services import facts
from services.caller import Caller

ENTRIES_PER_TRIGGER_MAX = 10  # of one contact in 24 hours (domain 2.2)

NOT_ACTIVE = "AUTOMATION_NOT_ACTIVE"
NOT_ALLOWED = "ENTRY_NOT_ALLOWED"


@dataclass(slots=True)
class Entered:
    """The runs that began, and the contacts that were not let in, by reason."""

    runs: list[int] = field(default_factory=list)
    refused: dict[str, set[int]] = field(default_factory=dict)


async def lock_contacts(contact_ids: Iterable[int]) -> list[int]:
    """Those of the contacts that exist, locked: entries of a contact are decided one after the other."""
    found = await db.value(
        Sql(
            """
            SELECT array_agg(held.id)
            FROM (
                SELECT c.id
                FROM contact c
                WHERE c.id = ANY({ids}::bigint[])
                ORDER BY c.id
                FOR NO KEY UPDATE
            ) AS held
            """,
            ids=sorted(set(contact_ids)),
        )
    )
    return found or []


async def let_in(candidates: Sql, *, by: Caller) -> Entered:
    """Begin a run for every candidate that the trigger and the entry policy allow, and note whom they do not allow and
    why, in one statement.

    `candidates` selects `contact_id, automation_id, trigger_id, event_id, recorded_at, label, actor, via`, with at most
    one event a contact and automation; of several triggers it takes the first that allows it. The contacts are locked
    and the automations held (locks.share) in statements before this one.
    """
    rows = await db.rows(
        Sql(
            """
            WITH candidate AS ({candidates}),
            judged AS (
                SELECT
                    candidate.*,
                    a.version_id,
                    coalesce(past.latest, 0) + 1 AS entry_number,
                    past.run_id,
                    coalesce(g.position, 0) AS position,
                    CASE
                        WHEN a.status <> 'ACTIVE' OR candidate.recorded_at < a.active_since THEN {not_active}::text
                        WHEN g.runs = 'ONCE' AND past.by_trigger > 0 THEN 'TRIGGER_ONCE'
                        WHEN past.recent >= {cap}::integer AND {in_window} >= {cap}::integer THEN 'TRIGGER_CAP'
                        WHEN a.entry_policy = 'ONCE' AND past.latest IS NOT NULL THEN {not_allowed}::text
                        WHEN a.entry_policy = 'AFTER_EXIT' AND past.inside THEN {not_allowed}::text
                    END AS refusal
                FROM candidate
                JOIN automation a ON a.id = candidate.automation_id
                LEFT JOIN trigger g ON g.id = candidate.trigger_id
                CROSS JOIN LATERAL (
                    SELECT
                        max(r.entry_number) AS latest,
                        max(r.id) AS run_id,
                        bool_or(r.ended_at IS NULL) AS inside,
                        count(*) FILTER (WHERE r.trigger_id = candidate.trigger_id) AS by_trigger,
                        count(*) FILTER (
                            WHERE r.trigger_id = candidate.trigger_id
                              AND r.started_at > {now}::timestamptz - interval '24 hours'
                        ) AS recent
                    FROM run r
                    -- By the contact, who has few runs. Of an automation that everybody enters at this moment the
                    -- planner believes that hardly anybody is in it, and would read all of its runs for each contact.
                    WHERE r.contact_id = candidate.contact_id
                      AND r.automation_id + 0 = candidate.automation_id
                ) AS past
            ),
            chosen AS (
                SELECT DISTINCT ON (judged.automation_id, judged.contact_id) judged.*
                FROM judged
                ORDER BY judged.automation_id, judged.contact_id, judged.refusal IS NOT NULL, judged.position,
                         judged.trigger_id
            ),
            beginning AS MATERIALIZED (  -- once a version, not once a contact
                SELECT av.id AS version_id, av.graph -> 'steps' -> 0 ->> 'id' AS step_key
                FROM automation_version av
                WHERE av.id IN (SELECT chosen.version_id FROM chosen)
            ),
            entered AS (
                INSERT INTO run (
                    contact_id, automation_id, version_id, entry_number, via, trigger_id, event_id, entry_label, actor,
                    depth, step_key, due_at, started_at
                )
                SELECT
                    chosen.contact_id,
                    chosen.automation_id,
                    chosen.version_id,
                    chosen.entry_number,
                    chosen.via,
                    chosen.trigger_id,
                    chosen.event_id,
                    chosen.label,
                    chosen.actor,
                    {depth}::integer,
                    beginning.step_key,
                    {now}::timestamptz,
                    {now}::timestamptz
                FROM chosen
                JOIN beginning ON beginning.version_id = chosen.version_id
                WHERE chosen.refusal IS NULL
                ORDER BY chosen.automation_id, chosen.contact_id
                RETURNING id, contact_id, automation_id
            ),
            counted AS (
                INSERT INTO run_count (automation_id, n)
                SELECT entered.automation_id, count(*)
                FROM entered
                GROUP BY entered.automation_id
            ),
            refused AS (
                INSERT INTO refused_entry (
                    contact_id, automation_id, trigger_id, event_id, via, entry_label, actor, reason, run_id, at
                )
                SELECT
                    chosen.contact_id, chosen.automation_id, chosen.trigger_id, chosen.event_id, chosen.via,
                    chosen.label, chosen.actor, chosen.refusal, chosen.run_id, {now}::timestamptz
                FROM chosen
                WHERE chosen.refusal IS NOT NULL
                ORDER BY chosen.automation_id, chosen.contact_id
            ),
            {fact}
            SELECT NULL AS refusal, array_agg(entered.id ORDER BY entered.id) AS ids
            FROM entered
            UNION ALL
            SELECT chosen.refusal, array_agg(DISTINCT chosen.contact_id)
            FROM chosen
            WHERE chosen.refusal IS NOT NULL
            GROUP BY chosen.refusal
            """,
            candidates=candidates,
            in_window=_in_window(by),
            fact=facts.recorded(_ENTERED, by=by),
            not_active=NOT_ACTIVE,
            not_allowed=NOT_ALLOWED,
            cap=ENTRIES_PER_TRIGGER_MAX,
            depth=by.depth,
            now=by.now,
        )
    )
    entered = Entered()
    for row in rows:
        if row["refusal"] is None:
            entered.runs = row["ids"] or []
        else:
            entered.refused[row["refusal"]] = set(row["ids"])
    if entered.runs:
        await bell.ring("advance")
        await bell.ring("dispatch")
    return entered


_ENTERED = Sql(
    """
    SELECT
        entered.contact_id,
        'AUTOMATION_ENTERED' AS kind,
        entered.automation_id AS subject,
        jsonb_build_object('automation', a.name, 'run', 'run_' || entered.id) AS data
    FROM entered
    JOIN automation a ON a.id = entered.automation_id
    ORDER BY entered.id
    """
)


def _in_window(by: Caller) -> Sql:
    """How many entries by this trigger stand in the current window of 24 hours.

    A window opens with an entry, and the next with the first entry after it; so the windows are walked from the very
    first entry on. Only asked of contacts that came by this trigger ten times in the last 24 hours.
    """
    return Sql(
        """
        (
            WITH RECURSIVE opened (at) AS (
                SELECT min(r.started_at)
                FROM run r
                WHERE r.contact_id = candidate.contact_id
                  AND r.automation_id + 0 = candidate.automation_id
                  AND r.trigger_id = candidate.trigger_id
                UNION ALL
                SELECT (
                    SELECT min(r.started_at)
                    FROM run r
                    WHERE r.contact_id = candidate.contact_id
                      AND r.automation_id + 0 = candidate.automation_id
                      AND r.trigger_id = candidate.trigger_id
                      AND r.started_at >= opened.at + interval '24 hours'
                )
                FROM opened
                WHERE opened.at IS NOT NULL
            )
            SELECT count(*)
            FROM run r
            WHERE r.contact_id = candidate.contact_id
              AND r.automation_id + 0 = candidate.automation_id
              AND r.trigger_id = candidate.trigger_id
              AND r.started_at >= (SELECT max(opened.at) FROM opened)
              AND {now}::timestamptz < (SELECT max(opened.at) FROM opened) + interval '24 hours'
        )
        """,
        now=by.now,
    )
