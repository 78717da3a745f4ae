"""Tasks: what somebody is to do about a contact, by when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit import bell, db
from kit.errors import Problems, not_found
from kit.sql import Sql, ids
from kit.text import TEXT_LENGTH_MAX
from services import facts
from services.caller import Caller
from services.given import Given
from services.outcome import Outcome
from services.targets import targets

TYPE = "TODO"
DURATION_MINUTES_MAX = 366 * 24 * 60
INCOMPLETE, COMPLETE = STATUSES = ("INCOMPLETE", "COMPLETE")


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A task for one contact from `contact_id title description type due_at duration_minutes assignee_id`; its id.

    Refused, all faults at once: no title, too long a text, an unknown contact or assignee (NOT_FOUND).
    """
    async with db.transaction():
        problems = Problems()
        task = _read(values, problems)
        await _require(values.get("contact_id"), task["assignee_id"], problems)
        problems.refuse()
        made, outcome = await _write(ids([values["contact_id"]]), task, by, None)
        outcome.require("This contact cannot have a task.", "contactId")
        return made[0]


async def add(contacts: Sql, values: Mapping[str, Any], *, by: Caller, run_ids: Sequence[int] | None = None) -> Outcome:
    """The same task for every contact; a contact that is twice in the set gets two. `values` as in `create`.

    With `run_ids`, each of these runs whose contact is in the set leaves one task that tells of it. An assignee who
    is gone leaves the tasks unassigned.
    """
    problems = Problems()
    task = _read(values, problems)
    problems.refuse()
    _, outcome = await _write(contacts, task, by, run_ids)
    return outcome


async def update(task_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change what `values` names: the keys of `create` and `status`; an absent key stays, None clears.

    Completing is a fact the moment it happens; a task completed already makes none. Refused: NOT_FOUND, a title or
    contact cleared (REQUIRED), and as in `create`.
    """
    async with db.transaction():
        current = await db.row(
            Sql(
                """
                SELECT
                    k.contact_id, k.title, k.description, k.type, k.due_at, k.duration_minutes, k.assignee_id, k.status
                FROM task k
                WHERE k.id = {id}::bigint
                FOR NO KEY UPDATE
                """,
                id=task_id,
            )
        )
        if current is None:
            raise not_found("task", "id")
        problems = Problems()
        task = _read({**current, **values}, problems)
        status = Given(values, problems).choice("status", STATUSES, current["status"])
        contact_id = values.get("contact_id", current["contact_id"])
        moved = contact_id if contact_id != current["contact_id"] else None
        if contact_id is None:
            problems.add("REQUIRED", "A task belongs to a contact.", "contactId")
        assignee = task["assignee_id"] if task["assignee_id"] != current["assignee_id"] else None
        await _require(moved, assignee, problems, optional=True)
        problems.refuse()
        await db.execute(_save(task_id, {**task, "contact_id": contact_id, "status": status}, by))
        await bell.ring("dispatch")


def _read(values: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    given = Given(values, problems)
    return {
        "title": given.required_text("title"),
        "description": given.text("description", length_max=TEXT_LENGTH_MAX, lines=True),
        "type": given.text("type") or TYPE,
        "due_at": given.instant("due_at"),
        "duration_minutes": given.integer("duration_minutes", most=DURATION_MINUTES_MAX),
        "assignee_id": given.integer("assignee_id"),
    }


async def _require(
    contact_id: int | None, assignee_id: int | None, problems: Problems, *, optional: bool = False
) -> None:
    """Note a contact that does not exist (or is not given, unless `optional`) and an assignee who cannot work."""
    row = await db.row(
        Sql(
            """
            SELECT
                EXISTS (SELECT FROM contact c WHERE c.id = {contact}::bigint FOR KEY SHARE) AS contact,
                EXISTS (
                    SELECT FROM user_account u WHERE u.id = {assignee}::bigint AND u.deactivated_at IS NULL
                ) AS assignee
            """,
            contact=contact_id,
            assignee=assignee_id,
        )
    )
    assert row is not None
    if not row["contact"] and not (optional and contact_id is None):
        problems.add("NOT_FOUND", "This contact does not exist.", "contactId")
    if assignee_id is not None and not row["assignee"]:
        problems.add("NOT_FOUND", "There is no active user with this id.", "assigneeId")


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
                    created_at, updated_at
                )
                SELECT
                    target.contact_id, {title}::text, {description}::text, {type}::text, {due_at}::timestamptz,
                    {duration_minutes}::integer,
                    (SELECT u.id FROM user_account u WHERE u.id = {assignee_id}::bigint AND u.deactivated_at IS NULL),
                    {creator}::bigint, target.run_id, {now}, {now}
                FROM target
                ORDER BY target.contact_id
                RETURNING id, contact_id
            ),
            {facts}
            SELECT
                (SELECT array_agg(made.id) FROM made) AS made,
                (SELECT array_agg(DISTINCT made.contact_id) FROM made) AS changed,
                (SELECT array_agg(missing.id) FROM missing) AS missing
            """,
            **task,
            targets=targets(contacts, run_ids),
            creator=by.user_id,
            now=by.now,
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


def _save(task_id: int, task: Mapping[str, Any], by: Caller) -> Sql:
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
                status = {status}::text,
                completed_at = CASE
                    WHEN {status}::text = 'INCOMPLETE' THEN NULL
                    ELSE coalesce(k.completed_at, {now}::timestamptz)
                END,
                updated_at = {now}::timestamptz
            WHERE k.id = {id}::bigint
            RETURNING k.id, k.contact_id, k.title, k.type, old.status AS before, new.status AS after
        ),
        {facts}
        SELECT saved.id FROM saved
        """,
        **task,
        id=task_id,
        now=by.now,
        facts=facts.recorded(
            Sql(
                """
                SELECT
                    saved.contact_id, 'TASK_COMPLETED', saved.id,
                    jsonb_build_object('title', saved.title, 'type', saved.type)
                FROM saved
                WHERE saved.before = 'INCOMPLETE'
                  AND saved.after = 'COMPLETE'
                """
            ),
            by=by,
        ),
    )
