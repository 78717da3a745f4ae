"""Into an automation and out of it: one path for all ways of entering, one for all ways of being ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kit import bell, db
from kit.errors import Conflict, Problem, conflict, not_found
from kit.sql import Sql
from services import facts
from services.caller import Caller
from workflows import locks
from workflows.journal import ended_told

ENTRIES_PER_TRIGGER_MAX = 10  # of one contact in 24 hours (domain 2.2)

NOT_ACTIVE = "AUTOMATION_NOT_ACTIVE"
NOT_ALLOWED = "ENTRY_NOT_ALLOWED"

SENTENCES = {
    NOT_ACTIVE: "This automation is not active.",
    NOT_ALLOWED: "The automation's entry policy does not let this contact in now.",
}


@dataclass(slots=True)
class Entered:
    """The runs that began, and the contacts that were not let in, by reason."""

    runs: list[int] = field(default_factory=list)
    refused: dict[str, set[int]] = field(default_factory=dict)


async def enter(
    contacts: Sql, automation_id: int, *, by: Caller, label: str = "Added by hand", via: str | None = None
) -> Entered:
    """Let a set of contacts in, by hand or by another automation; their first steps are due at once.

    Refused as a whole: NOT_FOUND and AUTOMATION_NOT_ACTIVE at `automationId`. Refused a contact: NOT_FOUND, and
    ENTRY_NOT_ALLOWED by the entry policy.
    """
    async with db.transaction():
        await locks.share([automation_id])
        await _require_active(automation_id)
        wanted = set(await db.column(contacts))
        known = await lock_contacts(wanted)
        candidates = Sql(
            """
            SELECT
                w.id AS contact_id,
                {automation_id}::bigint AS automation_id,
                NULL::bigint AS trigger_id,
                NULL::bigint AS event_id,
                NULL::timestamptz AS recorded_at,
                {label}::text AS label,
                {actor}::text AS actor,
                {via}::text AS via
            FROM unnest({ids}::bigint[]) AS w (id)
            """,
            automation_id=automation_id,
            label=label,
            actor=by.actor,
            via=via or by.via,
            ids=known,
        )
        entered = await let_in(candidates, by=by)
    if missing := wanted.difference(known):
        entered.refused["NOT_FOUND"] = missing
    return entered


async def enter_one(
    contact_id: int, automation_id: int, *, by: Caller, label: str = "Added by hand", via: str | None = None
) -> int:
    """Let one contact in; the id of the run. Refused as by `enter`, what is the contact's at `contactId`."""
    entered = await enter(Sql("SELECT {id}::bigint AS id", id=contact_id), automation_id, by=by, label=label, via=via)
    for code in entered.refused:
        if code == "NOT_FOUND":
            raise not_found("contact", "contactId")
        raise Conflict(Problem(code, SENTENCES[code], ("contactId",)))
    return entered.runs[0]


async def _require_active(automation_id: int) -> None:
    status = await db.value(Sql("SELECT a.status FROM automation a WHERE a.id = {id}::bigint", id=automation_id))
    if status is None:
        raise not_found("automation", "automationId")
    if status != "ACTIVE":
        raise conflict(NOT_ACTIVE, SENTENCES[NOT_ACTIVE], "automationId")


async def lock_contacts(contact_ids: Iterable[int]) -> list[int]:
    """Those of the contacts that exist, locked: entries of a contact are decided one after the other."""
    return await db.column(
        Sql(
            """
            SELECT c.id
            FROM contact c
            WHERE c.id = ANY({ids}::bigint[])
            ORDER BY c.id
            FOR NO KEY UPDATE
            """,
            ids=sorted(set(contact_ids)),
        )
    )


async def let_in(candidates: Sql, *, by: Caller) -> Entered:
    """Begin a run for every candidate that the trigger and the entry policy allow, in one statement.

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
                        bool_or(r.ended_at IS NULL) AS inside,
                        count(*) FILTER (WHERE r.trigger_id = candidate.trigger_id) AS by_trigger,
                        count(*) FILTER (
                            WHERE r.trigger_id = candidate.trigger_id
                              AND r.started_at > {now}::timestamptz - interval '24 hours'
                        ) AS recent
                    FROM run r
                    WHERE r.contact_id = candidate.contact_id
                      AND r.automation_id = candidate.automation_id
                ) AS past
            ),
            chosen AS (
                SELECT DISTINCT ON (judged.automation_id, judged.contact_id) judged.*
                FROM judged
                ORDER BY judged.automation_id, judged.contact_id, judged.refusal IS NOT NULL, judged.position,
                         judged.trigger_id
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
                    (
                        SELECT av.graph -> 'steps' -> 0 ->> 'id'
                        FROM automation_version av
                        WHERE av.id = chosen.version_id
                    ),
                    {now}::timestamptz,
                    {now}::timestamptz
                FROM chosen
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
            {fact}
            SELECT chosen.contact_id, chosen.refusal, entered.id
            FROM chosen
            LEFT JOIN entered USING (automation_id, contact_id)
            ORDER BY entered.id
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
            entered.runs.append(row["id"])
        else:
            entered.refused.setdefault(row["refusal"], set()).add(row["contact_id"])
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
                  AND r.automation_id = candidate.automation_id
                  AND r.trigger_id = candidate.trigger_id
                UNION ALL
                SELECT (
                    SELECT min(r.started_at)
                    FROM run r
                    WHERE r.contact_id = candidate.contact_id
                      AND r.automation_id = candidate.automation_id
                      AND r.trigger_id = candidate.trigger_id
                      AND r.started_at >= opened.at + interval '24 hours'
                )
                FROM opened
                WHERE opened.at IS NOT NULL
            )
            SELECT count(*)
            FROM run r
            WHERE r.contact_id = candidate.contact_id
              AND r.automation_id = candidate.automation_id
              AND r.trigger_id = candidate.trigger_id
              AND r.started_at >= (SELECT max(opened.at) FROM opened)
              AND {now}::timestamptz < (SELECT max(opened.at) FROM opened) + interval '24 hours'
        )
        """,
        now=by.now,
    )


# ---------------------------------------------------------------------------------------------------------------- ends


async def end(
    contacts: Sql, automation_id: int, *, by: Caller, reason: str = "MANUAL", visit_reason: str = "ENDED_MANUALLY"
) -> list[int]:
    """End all active runs of these contacts in the automation, also of an inactive one; the ids of the runs ended.

    The step they rest on is SKIPPED with `visit_reason`. What was done stays done. Ended runs are left as they are.
    """
    of_these = Sql(
        "r.automation_id = {automation_id}::bigint AND r.contact_id IN (SELECT w.id FROM ({contacts}) AS w)",
        automation_id=automation_id,
        contacts=contacts,
    )
    return list(await end_where(of_these, by=by, reason=reason, visit_reason=visit_reason))


async def end_run(run_id: int, *, by: Caller) -> bool:
    """End one run by hand; False if it had ended already. Refused: NOT_FOUND at `runId`."""
    async with db.transaction():
        if await db.value(Sql("SELECT r.id FROM run r WHERE r.id = {id}::bigint", id=run_id)) is None:
            raise not_found("run", "runId")
        return bool(await end_where(Sql("r.id = {id}::bigint", id=run_id), by=by))


async def end_where(
    condition: Sql, *, by: Caller, reason: str = "MANUAL", visit_reason: str = "ENDED_MANUALLY"
) -> dict[int, int]:
    """End the active runs `r` for which the condition holds; the contact of each run ended.

    The locks are taken in a statement of their own, so that the next one sees what an engine pass that held them has
    made of the runs.
    """
    async with db.transaction():
        held = await db.column(
            Sql(
                """
                SELECT r.id
                FROM run r
                WHERE {condition}
                  AND r.ended_at IS NULL
                ORDER BY r.id
                FOR UPDATE
                """,
                condition=condition,
            )
        )
        if not held:
            return {}
        ended = await db.rows(
            Sql(
                """
                WITH moved AS (
                    UPDATE run r
                    SET ended_at = {now}::timestamptz,
                        end_reason = {reason}::text,
                        step_key = NULL,
                        waiting = FALSE,
                        watching = FALSE,
                        due_at = NULL,
                        deadline_at = NULL,
                        paused_at = NULL,
                        attempt = 0
                    WHERE r.id = ANY({held}::bigint[])
                      AND r.ended_at IS NULL
                    RETURNING r.id, r.contact_id, r.automation_id, r.end_reason, r.seq, OLD.waiting AS was_waiting
                ),
                interrupted AS (
                    UPDATE visit i
                    SET status = 'SKIPPED',
                        finished_at = {now}::timestamptz,
                        reason = {visit_reason}::text
                    FROM moved
                    WHERE moved.was_waiting
                      AND i.run_id = ANY({held}::bigint[])
                      AND i.run_id = moved.id
                      AND i.seq = moved.seq
                    RETURNING i.step_id
                ),
                visits_counted AS (
                    INSERT INTO visit_count (step_id, status, reason, n)
                    SELECT interrupted.step_id, change.status, change.reason, change.sign * count(*)
                    FROM interrupted
                    CROSS JOIN (
                        VALUES ('IN_PROGRESS'::visit_status, NULL, -1), ('SKIPPED', {visit_reason}::text, 1)
                    ) AS change (status, reason, sign)
                    GROUP BY interrupted.step_id, change.status, change.reason, change.sign
                )
                {told}
                SELECT moved.id, moved.contact_id
                FROM moved
                ORDER BY moved.id
                """,
                held=held,
                now=by.now,
                reason=reason,
                visit_reason=visit_reason,
                told=ended_told(by),
            )
        )
        await bell.ring("dispatch")
        return {row["id"]: row["contact_id"] for row in ended}
