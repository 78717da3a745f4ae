"""Make an automation, change it while contacts are inside, switch it on and off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

import orjson

from kit import bell, db
from kit.errors import Problems, conflict, not_found
from kit.sql import Sql
from services import watching
from services.caller import Caller
from services.given import Given
from workflows import drawing, locks, store

ENTRY_POLICIES = ("ANY", "ONCE", "AFTER_EXIT")
NAME_LENGTH_MAX = 200
DESCRIPTION_LENGTH_MAX = 20_000


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new automation, not yet active; its id.

    `values`: name, description, timezone, entry_policy, exit_on_unsubscribe, and triggers and steps in the API's JSON.
    Refused (Invalid) with every fault at its path, nothing stored.
    """
    async with db.transaction():
        await locks.share_names()
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
        await store.triggers(automation_id, drawn, by=by)
        await store.version(automation_id, drawn, by=by)
    return automation_id


async def update(automation_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change an automation; what `values` does not name stays. New steps are live at once, also for those inside:
    they hold from each contact's next step on (domain 2.11).

    Refused: NOT_FOUND at `id`, and (Invalid) every fault at its path, nothing stored.
    """
    async with db.transaction():
        await locks.share_names()
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
            await store.triggers(automation_id, drawn, by=by)
            await watching.soon()
        if drawn.graph is not None and orjson.loads(row["graph"]) != drawn.stored_graph():
            await store.version(automation_id, drawn, by=by)
            await store.wake_changed(automation_id, orjson.loads(row["graph"]), drawn.stored_graph(), by=by)
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
        await store.wake(automation_id, Sql("r.watching"), by=by)
        await bell.ring("advance")
        await watching.soon()


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
