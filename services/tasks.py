"""Tasks: what somebody is to do about a contact, by when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kit import bell, db
from kit.errors import Problems, not_found
from kit.sql import Sql, ids
from services import facts, notifications, task_values
from services.caller import Caller
from services.given import Given, camel
from services.outcome import Outcome
from services.targets import targets

INCOMPLETE, COMPLETE = STATUSES = ("INCOMPLETE", "COMPLETE")


@dataclass(frozen=True, slots=True)
class Completed:
    """A task that was just completed and whose contact is to enter an automation for that (AE15, Q19, Q20)."""

    contact_id: int
    automation_id: int
    title: str


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A task for one contact; its id. `values` are `contact_id title description type due_at duration_minutes
    assignee_id`, a reminder at `alert_at` or `alert_minutes_before` before it is due, and the automations
    `on_save_automation_id on_complete_automation_id`, which are only noted here.

    Refused, all faults at once: no title, too long a text, two reminders, an unknown contact, assignee or automation.
    """
    async with db.transaction():
        problems = Problems()
        task = task_values.read(values, problems)
        contact_id = values.get("contact_id")
        if contact_id is None:
            problems.add("REQUIRED", "A task belongs to a contact.", "contactId")
        automations = {camel(key): task[key] for key in task_values.AUTOMATIONS}
        await task_values.require(contact_id, task["assignee_id"], automations, problems)
        problems.refuse()
        made, outcome = await _write(ids([values["contact_id"]]), task, by, None)
        outcome.require("This contact cannot have a task.", "contactId")
        return made[0]


async def add(contacts: Sql, values: Mapping[str, Any], *, by: Caller, run_ids: Sequence[int] | None = None) -> Outcome:
    """The same task for every contact; a contact that is twice in the set gets two. `values` as in `create`, without
    automations.

    With `run_ids`, each of these runs whose contact is in the set leaves one task that tells of it. An assignee who
    is gone leaves the tasks unassigned.
    """
    problems = Problems()
    task = task_values.read({**values, **dict.fromkeys(task_values.AUTOMATIONS)}, problems)
    problems.refuse()
    _, outcome = await _write(contacts, task, by, run_ids)
    return outcome


async def update(task_id: int, values: Mapping[str, Any], *, by: Caller) -> Completed | None:
    """Change what `values` names: the keys of `create` except `on_save_automation_id`, and `status`; an absent key
    stays, None clears. A reminder follows the due date, and one that is moved into the future is sent again (Q23).

    Completing is a fact the moment it happens; a task completed already makes none. Told is a completion for which an
    automation is to be entered. Refused: NOT_FOUND, a title or contact cleared (REQUIRED), and as in `create`.
    """
    async with db.transaction():
        current = await db.row(_locked(task_id))
        if current is None:
            raise not_found("task", "id")
        problems = Problems()
        task = task_values.read(task_values.changed(current, values), problems)
        task["status"] = Given(values, problems).choice("status", STATUSES, current["status"])
        task["contact_id"] = values.get("contact_id", current["contact_id"])
        if task["contact_id"] is None:
            problems.add("REQUIRED", "A task belongs to a contact.", "contactId")
        named = {key: task[key] if task[key] != current[key] else None for key in _REFERENCES}
        automations = {"onCompleteAutomationId": named["on_complete_automation_id"]}
        await task_values.require(named["contact_id"], named["assignee_id"], automations, problems)
        problems.refuse()
        changed = [key for key in task if task[key] != current[key]]
        if not changed:
            return None
        await db.execute(_save(task_id, task, changed, by))
        await bell.ring("dispatch")
        automation_id = task["on_complete_automation_id"]
        completed = "status" in changed and task["status"] == COMPLETE
        if not completed or automation_id is None or current["completion_started_at"] is not None:
            return None
        return Completed(task["contact_id"], automation_id, task["title"])


async def settle_completion(task_id: int, *, by: Caller) -> None:
    """The automation of its completion was entered: that is once a task, also when it is completed again (Q19)."""
    await db.execute(
        Sql(
            "UPDATE task k SET completion_started_at = {now}::timestamptz WHERE k.id = {id}::bigint",
            id=task_id,
            now=by.now,
        )
    )


async def delete(task_id: int, *, by: Caller) -> None:
    """Delete a task; what it was stays in the contact's activity. Refused: NOT_FOUND."""
    gone = await db.value(
        Sql(
            """
            WITH gone AS (
                DELETE FROM task k
                WHERE k.id = {id}::bigint
                RETURNING k.id, k.contact_id, k.title, k.type
            ),
            {facts}
            SELECT gone.id FROM gone
            """,
            id=task_id,
            facts=facts.recorded(
                Sql(
                    """
                    SELECT
                        gone.contact_id, 'TASK_DELETED', gone.id,
                        jsonb_build_object('title', gone.title, 'type', gone.type)
                    FROM gone
                    """
                ),
                by=by,
            ),
        )
    )
    if gone is None:
        raise not_found("task", "id")
    await bell.ring("dispatch")


_REFERENCES = ("contact_id", "assignee_id", "on_complete_automation_id")


def _locked(task_id: int) -> Sql:
    return Sql(
        """
        SELECT
            k.contact_id, k.title, k.description, k.type, k.due_at, k.duration_minutes, k.assignee_id, k.status,
            k.alert_at, k.alert_before_minutes AS alert_minutes_before, k.alerts_at, k.on_save_automation_id,
            k.on_complete_automation_id, k.completion_started_at
        FROM task k
        WHERE k.id = {id}::bigint
        FOR NO KEY UPDATE
        """,
        id=task_id,
    )


async def _write(
    contacts: Sql, task: Mapping[str, Any], by: Caller, run_ids: Sequence[int] | None
) -> tuple[list[int], Outcome]:
    row = await db.row(
        Sql(
            """
            WITH {targets},
            made AS (
                INSERT INTO task (
                    contact_id, title, description, type, due_at, duration_minutes, assignee_id, creator_id, run_id,
                    alert_at, alert_before_minutes, alerts_at, on_save_automation_id, on_complete_automation_id,
                    created_at, updated_at
                )
                SELECT
                    target.contact_id, {title}::text, {description}::text, {type}::text, {due_at}::timestamptz,
                    {duration_minutes}::integer,
                    (SELECT u.id FROM user_account u WHERE u.id = {assignee_id}::bigint AND u.deactivated_at IS NULL),
                    {creator}::bigint, target.run_id, {alert_at}::timestamptz, {alert_minutes_before}::integer,
                    {alerts_at}::timestamptz, {on_save_automation_id}::bigint, {on_complete_automation_id}::bigint,
                    {now}, {now}
                FROM target
                ORDER BY target.contact_id
                RETURNING id, contact_id, title, assignee_id
            ),
            {facts},
            {noticed}
            SELECT
                (SELECT array_agg(made.id) FROM made) AS made,
                (SELECT array_agg(DISTINCT made.contact_id) FROM made) AS changed,
                (SELECT array_agg(missing.id) FROM missing) AS missing
            """,
            **task,
            targets=targets(contacts, run_ids),
            creator=by.user_id,
            now=by.now,
            noticed=_assigned("made", "made.assignee_id IS NOT NULL", by),
            facts=facts.recorded(
                Sql(
                    """
                    SELECT
                        made.contact_id, 'TASK_CREATED', made.id,
                        jsonb_build_object('title', {title}::text, 'type', {type}::text)
                    FROM made
                    ORDER BY made.id
                    """,
                    title=task["title"],
                    type=task["type"],
                ),
                by=by,
            ),
        )
    )
    await bell.ring("dispatch")
    return (row or {}).get("made") or [], Outcome.of(row)


def _save(task_id: int, task: Mapping[str, Any], changed: Sequence[str], by: Caller) -> Sql:
    """Write the task; a completion is a fact of its own, and a move is told to both contacts."""
    told = [camel(key).removesuffix("Id") for key in changed if key != "alerts_at"]
    return Sql(
        """
        WITH saved AS (
            UPDATE task k
            SET contact_id = {contact_id}::bigint,
                title = {title}::text,
                description = {description}::text,
                type = {type}::text,
                due_at = {due_at}::timestamptz,
                duration_minutes = {duration_minutes}::integer,
                assignee_id = {assignee_id}::bigint,
                alert_at = {alert_at}::timestamptz,
                alert_before_minutes = {alert_minutes_before}::integer,
                alerts_at = {alerts_at}::timestamptz,
                alerted_at = CASE
                    WHEN k.alerts_at IS NOT DISTINCT FROM {alerts_at}::timestamptz THEN k.alerted_at
                    WHEN {alerts_at}::timestamptz > {now}::timestamptz THEN NULL
                    ELSE k.alerted_at
                END,
                on_complete_automation_id = {on_complete_automation_id}::bigint,
                status = {status}::text,
                completed_at = CASE
                    WHEN {status}::text = 'INCOMPLETE' THEN NULL
                    ELSE coalesce(k.completed_at, {now}::timestamptz)
                END,
                updated_at = {now}::timestamptz
            WHERE k.id = {id}::bigint
            RETURNING
                k.id, k.contact_id, k.title, k.type, k.assignee_id, old.contact_id AS left_id,
                old.assignee_id AS left_to,
                old.status = 'INCOMPLETE' AND new.status = 'COMPLETE' AS completed
        ),
        {facts},
        {noticed}
        SELECT saved.id FROM saved
        """,
        **task,
        id=task_id,
        now=by.now,
        noticed=_assigned("saved", "saved.assignee_id IS DISTINCT FROM saved.left_to", by),
        facts=facts.recorded(
            Sql(
                """
                SELECT
                    fact.contact_id, fact.kind, saved.id,
                    jsonb_build_object('title', saved.title, 'type', saved.type) || jsonb_strip_nulls(fact.data)
                FROM saved
                CROSS JOIN LATERAL (
                    SELECT array_agg(word) AS words
                    FROM unnest({told}::text[]) AS word
                    WHERE word <> 'status' OR NOT saved.completed
                ) AS changed
                CROSS JOIN LATERAL (
                    VALUES
                        (
                            1, saved.left_id, 'TASK_UPDATED', saved.left_id <> saved.contact_id,
                            jsonb_build_object('changed', ARRAY['contact'], 'movedTo', 'contact_' || saved.contact_id)
                        ),
                        (
                            2, saved.contact_id, 'TASK_UPDATED', changed.words IS NOT NULL,
                            jsonb_build_object(
                                'changed', changed.words,
                                'movedFrom', 'contact_' || nullif(saved.left_id, saved.contact_id)
                            )
                        ),
                        (3, saved.contact_id, 'TASK_COMPLETED', saved.completed, '{}')
                ) AS fact (place, contact_id, kind, happened, data)
                WHERE fact.happened
                ORDER BY fact.place
                """,
                told=told,
            ),
            by=by,
        ),
    )


def _assigned(tasks: str, newly: str, by: Caller) -> Sql:
    """Whoever is given one of these tasks by somebody else is told."""
    return notifications.recorded(
        Sql(
            """
            SELECT
                {tasks}.assignee_id, 'TASK_ASSIGNED', {tasks}.contact_id, {tasks}.id,
                jsonb_build_object('title', {tasks}.title)
            FROM {tasks}
            WHERE {newly}
              AND {tasks}.assignee_id IS DISTINCT FROM {doer}::bigint
            """,
            tasks=Sql(tasks),
            newly=Sql(newly),
            doer=by.user_id,
        ),
        now=by.now,
    )
