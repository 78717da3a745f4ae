"""Write down an automation's next version and its triggers, and wake whom the change concerns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kit import bell, db
from kit.sql import Sql
from services import tags
from services.caller import Caller
from workflows import drawing
from workflows.drawing import Drawing
from workflows.graph import Graph

# An automation with a million runs inside is changed in one statement, which takes longer than a request may.
STATEMENT_SECONDS_MAX = 60


async def version(automation_id: int, drawn: Drawing, *, by: Caller) -> None:
    """The next version, live at once, and a row for each step as it is called now."""
    assert drawn.graph is not None
    await tags.ensure(drawn.tags_of_steps(), by=by)
    await write(automation_id, drawn.graph, drawn.stored_graph(), by=by)


async def write(automation_id: int, graph: Graph, stored: dict[str, Any], *, by: Caller) -> None:
    """Store a graph as the next version; what is live keeps its number of runs, each on its step."""
    places = graph.places.values()
    await db.execute(
        Sql(
            """
            INSERT INTO automation_step (automation_id, key, kind, label)
            SELECT {id}::bigint, w.key, w.kind, w.label
            FROM unnest({keys}::text[], {kinds}::text[], {labels}::text[]) AS w (key, kind, label)
            ON CONFLICT DO NOTHING
            """,
            id=automation_id,
            keys=[place.key for place in places],
            kinds=[place.card.word() for place in places],
            labels=[place.label for place in places],
        )
    )
    await db.execute(
        Sql(
            """
            WITH published AS (
                INSERT INTO automation_version (automation_id, number, graph, created_at)
                SELECT a.id, a.version + 1, {graph}::jsonb, {now}::timestamptz
                FROM automation a
                WHERE a.id = {id}::bigint
                RETURNING id, number
            )
            UPDATE automation a
            SET version = published.number,
                version_id = published.id
            FROM published
            WHERE a.id = {id}::bigint
            """,
            id=automation_id,
            graph=db.jsonb(stored),
            now=by.now,
        )
    )


async def triggers(automation_id: int, drawn: Drawing, *, by: Caller) -> None:
    """The triggers as they are now. One that was there keeps its number, so that ONCE survives an edit (domain 2.2)."""
    names = await drawn.names_of_triggers(by=by)
    rows = [each.row(names) for each in drawn.triggers]
    old = await db.rows(
        Sql(
            """
            SELECT g.id, g.kind, g.subject
            FROM trigger g
            WHERE g.automation_id = {id}::bigint
              AND g.removed_at IS NULL
            ORDER BY g.position, g.id
            """,
            id=automation_id,
        )
    )
    kept = drawing.same_triggers(old, rows)
    await db.execute(
        Sql(
            """
            UPDATE trigger g
            SET removed_at = {now}::timestamptz
            WHERE g.automation_id = {id}::bigint
              AND g.removed_at IS NULL
              AND g.id <> ALL ({kept}::bigint[])
            """,
            id=automation_id,
            kept=[number for number in kept if number is not None],
            now=by.now,
        )
    )
    await db.execute(
        Sql(
            """
            WITH w AS (
                SELECT *
                FROM unnest(
                    {kept}::bigint[], {kinds}::text[], {subjects}::bigint[], {parameters}::text[], {conditions}::text[],
                    {runs}::text[], {enabled}::boolean[]
                ) WITH ORDINALITY AS w (id, kind, subject, parameters, condition, runs, enabled, position)
            ),
            changed AS (
                UPDATE trigger g
                SET position = w.position,
                    subject = w.subject,
                    parameters = w.parameters::jsonb,
                    condition = w.condition::jsonb,
                    runs = w.runs,
                    enabled = w.enabled
                FROM w
                WHERE g.id = w.id
            )
            INSERT INTO trigger (
                automation_id, position, kind, subject, parameters, condition, runs, enabled, created_at
            )
            SELECT
                {id}::bigint, w.position, w.kind, w.subject, w.parameters::jsonb, w.condition::jsonb, w.runs,
                w.enabled, {now}::timestamptz
            FROM w
            WHERE w.id IS NULL
            ORDER BY w.position
            """,
            id=automation_id,
            kept=kept,
            kinds=[row["kind"] for row in rows],
            subjects=[row["subject"] for row in rows],
            parameters=[row["parameters"] for row in rows],
            conditions=[row["condition"] for row in rows],
            runs=[row["runs"] for row in rows],
            enabled=[row["enabled"] for row in rows],
            now=by.now,
        )
    )


async def draft(automation_id: int, given: dict[str, Any] | None) -> None:
    """Keep triggers or steps beside what is live; what was kept of the other stays. None: nothing is kept any more."""
    await db.execute(
        Sql(
            """
            UPDATE automation a
            SET draft = CASE
                WHEN {given}::jsonb IS NOT NULL THEN coalesce(a.draft, jsonb_build_object()) || {given}::jsonb
            END
            WHERE a.id = {id}::bigint
              AND ({given}::jsonb IS NOT NULL OR a.draft IS NOT NULL)
            """,
            id=automation_id,
            given=None if given is None else db.jsonb(given),
        )
    )


async def move(automation_id: int, moves: Mapping[str, str], *, by: Caller) -> None:
    """Who stands on one of these steps comes to the one it is mapped to, in the live version. The visit they had in
    progress is SKIPPED (STEP_MOVED)."""
    await db.be_patient(statement_seconds=STATEMENT_SECONDS_MAX)
    await db.execute(
        Sql(
            """
            WITH moved AS (
                UPDATE run r
                SET step_key = w.there,
                    version_id = a.version_id,
                    waiting = FALSE,
                    watching = FALSE,
                    due_at = {now}::timestamptz,
                    deadline_at = NULL,
                    attempt = 0
                FROM unnest({froms}::text[], {theres}::text[]) AS w (here, there)
                CROSS JOIN automation a
                WHERE a.id = {id}::bigint
                  AND r.automation_id = {id}::bigint
                  AND r.ended_at IS NULL
                  AND r.step_key = w.here
                RETURNING r.id, r.seq, OLD.waiting AS was_waiting
            ),
            interrupted AS (
                UPDATE visit i
                SET status = 'SKIPPED',
                    finished_at = {now}::timestamptz,
                    reason = 'STEP_MOVED'
                FROM moved
                WHERE moved.was_waiting
                  AND i.run_id = moved.id
                  AND i.seq = moved.seq
                RETURNING i.step_id
            )
            INSERT INTO visit_count (step_id, status, reason, n)
            SELECT interrupted.step_id, change.status, change.reason, change.sign * count(*)
            FROM interrupted
            CROSS JOIN (
                VALUES ('IN_PROGRESS'::visit_status, NULL, -1), ('SKIPPED', 'STEP_MOVED', 1)
            ) AS change (status, reason, sign)
            GROUP BY interrupted.step_id, change.status, change.reason, change.sign
            """,
            id=automation_id,
            froms=list(moves),
            theres=list(moves.values()),
            now=by.now,
        )
    )


async def wake_changed(automation_id: int, old: dict[str, Any], new: dict[str, Any], *, by: Caller) -> None:
    """Who rests on a step that is told something else now, or is gone, is looked at: the engine counts the time
    already spent, looks at the new rule, or leads on from a step that is gone."""
    told = {each["id"]: each["do"] for each in new["steps"]}
    known = {each["id"]: each["do"] for each in old["steps"]}
    changed = [key for key, do in known.items() if told.get(key) != do]
    if any("goal" in do and known.get(key) != do for key, do in told.items()):
        await wake(automation_id, Sql("r.waiting"), by=by)  # whoever rests may have met the new goal
    elif changed:
        await wake(automation_id, Sql("r.waiting AND r.step_key = ANY({changed}::text[])", changed=changed), by=by)


async def wake_watching(condition: Sql, now: datetime) -> None:
    """Runs `r` that watch their contact are looked at again where the condition holds.

    Waits for an engine pass that holds one of them: it may have looked before the change was there.
    """
    woken = await db.value(
        Sql(
            """
            WITH held AS (
                SELECT r.id
                FROM run r
                WHERE r.watching
                  AND r.attempt = 0  -- what failed is tried again when its pause is over, and looks at everything then
                  AND {condition}
                  AND (r.due_at IS NULL OR r.due_at > {now}::timestamptz)
                ORDER BY r.id
                FOR UPDATE
            ),
            woken AS (
                UPDATE run r
                SET due_at = {now}::timestamptz
                FROM held
                WHERE r.id = held.id
                RETURNING r.id
            )
            SELECT count(*) FROM woken
            """,
            condition=condition,
            now=now,
        )
    )
    if woken:
        await bell.ring("advance")


async def wake(automation_id: int, condition: Sql, *, by: Caller) -> None:
    await db.be_patient(statement_seconds=STATEMENT_SECONDS_MAX)
    await db.execute(
        Sql(
            """
            UPDATE run r
            SET due_at = {now}::timestamptz
            WHERE r.automation_id = {id}::bigint
              AND r.ended_at IS NULL
              AND (r.due_at IS NULL OR r.due_at > {now}::timestamptz)
              AND {condition}
            """,
            id=automation_id,
            condition=condition,
            now=by.now,
        )
    )
