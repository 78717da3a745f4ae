"""Make an automation, change it while contacts are inside, switch it on and off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

import orjson

from kit import bell, db
from kit.errors import Problems, conflict, not_found
from kit.sql import Sql
from services import tags
from services.caller import Caller
from services.given import Given
from workflows import drawing, locks
from workflows.drawing import Drawing

ENTRY_POLICIES = ("ANY", "ONCE", "AFTER_EXIT")
NAME_LENGTH_MAX = 200
DESCRIPTION_LENGTH_MAX = 20_000

# An automation with a million runs inside is changed in one statement, which takes longer than a request may.
STATEMENT_TIMEOUT = "60s"


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new automation, not yet active; its id.

    `values`: name, description, timezone, entry_policy, exit_on_unsubscribe, and triggers and steps in the API's JSON.
    Refused (Invalid) with every fault at its path, nothing stored.
    """
    async with db.transaction():
        problems = Problems()
        settings = _settings({"name": None, "entry_policy": None, **values}, problems)
        drawn = await drawing.read(values.get("triggers") or [], values.get("steps") or [], by.now, problems)
        problems.refuse()
        automation_id = await db.value(
            Sql(
                """
                INSERT INTO automation (
                    name, description, timezone, entry_policy, exit_on_unsubscribe, created_at, updated_at
                )
                VALUES (
                    {name}::text, {description}::text, {timezone}::text, {entry_policy}::text,
                    {exit_on_unsubscribe}::boolean, {now}::timestamptz, {now}::timestamptz
                )
                RETURNING id
                """,
                **{"description": None, "timezone": None, "exit_on_unsubscribe": False, **settings},
                now=by.now,
            )
        )
        await _store_triggers(automation_id, drawn, by=by)
        await _store_version(automation_id, drawn, by=by)
    return automation_id


async def update(automation_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change an automation; what `values` does not name stays. New steps are live at once, also for those inside:
    they hold from each contact's next step on (domain 2.11).

    Refused: NOT_FOUND at `id`, and (Invalid) every fault at its path, nothing stored.
    """
    async with db.transaction():
        row = await _hold(automation_id)
        problems = Problems()
        settings = _settings(values, problems)
        triggers = values["triggers"] or [] if "triggers" in values else None
        steps = values["steps"] or [] if "steps" in values else None
        drawn = await drawing.read(triggers, steps, by.now, problems)
        problems.refuse()
        await db.execute(
            Sql(
                """
                UPDATE automation a
                SET name = {name}::text,
                    description = {description}::text,
                    timezone = {timezone}::text,
                    entry_policy = {entry_policy}::text,
                    exit_on_unsubscribe = {exit_on_unsubscribe}::boolean,
                    updated_at = {now}::timestamptz
                WHERE a.id = {id}::bigint
                """,
                **{key: settings.get(key, row[key]) for key in SETTINGS},
                now=by.now,
                id=automation_id,
            )
        )
        if triggers is not None:
            await _store_triggers(automation_id, drawn, by=by)
        if drawn.graph is not None and orjson.loads(row["graph"]) != drawn.stored_graph():
            await _store_version(automation_id, drawn, by=by)
            await _wake_changed(automation_id, orjson.loads(row["graph"]), drawn.stored_graph(), by=by)
            await bell.ring("advance")


async def activate(automation_id: int, *, by: Caller) -> None:
    """Contacts enter and move from now on. Overdue waits end, and rules that somebody waits for are looked at anew.

    Refused: NOT_FOUND at `id`, ARCHIVED, and (Invalid) what its steps and triggers name that is gone.
    """
    async with db.transaction():
        row = await _hold(automation_id)
        if row["status"] == "ARCHIVED":
            raise conflict("ARCHIVED", "An archived automation cannot be activated.", "id")
        if row["status"] == "ACTIVE":
            return
        problems = Problems()
        await drawing.read(
            await drawing.triggers_of(automation_id), orjson.loads(row["graph"])["steps"], by.now, problems
        )
        problems.refuse()
        await db.execute(
            Sql(
                """
                UPDATE automation a
                SET status = 'ACTIVE',
                    active_since = {now}::timestamptz,
                    updated_at = {now}::timestamptz
                WHERE a.id = {id}::bigint
                """,
                now=by.now,
                id=automation_id,
            )
        )
        await _wake(automation_id, Sql("r.watching"), by=by)
        await bell.ring("advance")


async def deactivate(automation_id: int, *, by: Caller) -> None:
    """Nobody enters or moves from now on; who is inside holds; clocks of waits run on. Refused: NOT_FOUND at `id`."""
    async with db.transaction():
        await _hold(automation_id)
        await db.execute(
            Sql(
                """
                UPDATE automation a
                SET status = 'INACTIVE',
                    active_since = NULL,
                    updated_at = {now}::timestamptz
                WHERE a.id = {id}::bigint
                  AND a.status = 'ACTIVE'
                """,
                now=by.now,
                id=automation_id,
            )
        )


# -------------------------------------------------------------------------------------------------------------- parts

SETTINGS = ("name", "description", "timezone", "entry_policy", "exit_on_unsubscribe")


async def _hold(automation_id: int) -> dict[str, Any]:
    """The automation and its live graph, alone: no pass moves or enters anybody until the commit."""
    await locks.hold(automation_id)
    row = await db.row(
        Sql(
            """
            SELECT a.name, a.description, a.timezone, a.entry_policy, a.exit_on_unsubscribe, a.status, av.graph
            FROM automation a
            JOIN automation_version av ON av.id = a.version_id
            WHERE a.id = {id}::bigint
            FOR UPDATE OF a
            """,
            id=automation_id,
        )
    )
    if row is None:
        raise not_found("automation", "id")
    return row


def _settings(values: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """What of the plain settings is given, checked."""
    given = Given(values, problems)
    found: dict[str, Any] = {}
    if "name" in given:
        found["name"] = given.required_text("name", length_max=NAME_LENGTH_MAX)
    if "description" in given:
        found["description"] = given.text("description", length_max=DESCRIPTION_LENGTH_MAX, lines=True)
    if "timezone" in given:
        found["timezone"] = given.text("timezone")
        if found["timezone"] is not None and found["timezone"] not in available_timezones():
            problems.add("INVALID_VALUE", "This time zone does not exist; name one like Europe/Berlin.", "timezone")
    if "entry_policy" in given:
        found["entry_policy"] = given.choice("entry_policy", ENTRY_POLICIES, "ANY")
    if "exit_on_unsubscribe" in given:
        found["exit_on_unsubscribe"] = bool(values["exit_on_unsubscribe"])
    return found


async def _store_version(automation_id: int, drawn: Drawing, *, by: Caller) -> None:
    """The next version, live at once, and a row for each step as it is called now."""
    assert drawn.graph is not None
    places = drawn.graph.places.values()
    await tags.ensure(drawn.tags_of_steps(), by=by)
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
            graph=db.jsonb(drawn.stored_graph()),
            now=by.now,
        )
    )


async def _store_triggers(automation_id: int, drawn: Drawing, *, by: Caller) -> None:
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
                    {runs}::text[]
                ) WITH ORDINALITY AS w (id, kind, subject, parameters, condition, runs, position)
            ),
            changed AS (
                UPDATE trigger g
                SET position = w.position,
                    subject = w.subject,
                    parameters = w.parameters::jsonb,
                    condition = w.condition::jsonb,
                    runs = w.runs
                FROM w
                WHERE g.id = w.id
            )
            INSERT INTO trigger (automation_id, position, kind, subject, parameters, condition, runs, created_at)
            SELECT
                {id}::bigint, w.position, w.kind, w.subject, w.parameters::jsonb, w.condition::jsonb, w.runs,
                {now}::timestamptz
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
            now=by.now,
        )
    )


async def _wake_changed(automation_id: int, old: dict[str, Any], new: dict[str, Any], *, by: Caller) -> None:
    """Who rests on a step that is told something else now, or is gone, is looked at: the engine counts the time
    already spent, looks at the new rule, or leads on from a step that is gone."""
    told = {each["id"]: each["do"] for each in new["steps"]}
    changed = [each["id"] for each in old["steps"] if told.get(each["id"]) != each["do"]]
    if changed:
        await _wake(automation_id, Sql("r.waiting AND r.step_key = ANY({changed}::text[])", changed=changed), by=by)


async def _wake(automation_id: int, condition: Sql, *, by: Caller) -> None:
    await db.execute(Sql("SELECT set_config('statement_timeout', {limit}::text, TRUE)", limit=STATEMENT_TIMEOUT))
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
