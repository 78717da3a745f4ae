"""Into an automation and out of it: one path for all ways of entering, one for all ways of being ended."""

from __future__ import annotations

from kit import bell, db
from kit.errors import Conflict, Problem, conflict, not_found
from kit.sql import Sql
from services.caller import Caller
from workflows import admission, locks
from workflows.admission import NOT_ACTIVE, NOT_ALLOWED, Entered
from workflows.journal import ended_told

SENTENCES = {
    NOT_ACTIVE: "This automation is not active.",
    NOT_ALLOWED: "The automation's entry policy does not let this contact in now.",
}


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
        wanted = set(await db.value(Sql("SELECT array_agg(w.id) FROM ({contacts}) AS w", contacts=contacts)) or [])
        known = await admission.lock_contacts(wanted)
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
        entered = await admission.let_in(candidates, by=by)
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
