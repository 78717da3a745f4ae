"""Make an automation, change it while contacts are inside, switch it on and off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

import orjson

from kit import bell, db
from kit.card import Reference
from kit.errors import Problems, conflict, not_found
from kit.sql import NOTHING, Sql
from services import watching
from services.caller import Caller
from services.given import Given
from services.references import unknown
from workflows import drawing, locks, put_away, splits, standstill, store
from workflows.drawing import Drawing

ENTRY_POLICIES = ("ANY", "ONCE", "AFTER_EXIT")
NAME_LENGTH_MAX = 200
DESCRIPTION_LENGTH_MAX = 20_000


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new automation, not yet active; its id.

    `values`: name, description, timezone, entry_policy, exit_on_unsubscribe, unsubscribe_lists (ids; none means all),
    and triggers and steps in the API's JSON.
    Refused (Invalid) with every fault at its path, nothing stored.
    """
    async with db.transaction():
        await locks.share_names()
        problems = Problems()
        settings = await _settings({"name": None, "entry_policy": None, **values}, problems)
        drawn = await drawing.read(values.get("triggers") or [], values.get("steps") or [], by.now, problems)
        problems.refuse()
        automation_id = await db.value(
            Sql(
                """
                INSERT INTO automation (
                    name, description, timezone, entry_policy, exit_on_unsubscribe, unsubscribe_lists, created_at,
                    updated_at
                )
                VALUES (
                    {name}::text, {description}::text, {timezone}::text, {entry_policy}::text,
                    {exit_on_unsubscribe}::boolean, {unsubscribe_lists}::bigint[], {now}::timestamptz,
                    {now}::timestamptz
                )
                RETURNING id
                """,
                **{**UNSET, **settings},
                now=by.now,
            )
        )
        await store.triggers(automation_id, drawn, by=by)
        await store.version(automation_id, drawn, by=by)
    return automation_id


async def update(automation_id: int, values: Mapping[str, Any], *, by: Caller, live: bool = True) -> None:
    """Change an automation; what `values` does not name stays. New steps are live at once, also for those inside:
    they hold from each contact's next step on (domain 2.11). Unless `live`, triggers and steps are kept as a draft.

    Refused: NOT_FOUND at `id`, and (Invalid) every fault at its path, nothing stored; SPLIT_IN_PROGRESS at a split that
    somebody went through.
    """
    async with db.transaction():
        await locks.share_names()
        row = await hold(automation_id)
        problems = Problems()
        settings = await _settings(values, problems)
        triggers = values["triggers"] or [] if "triggers" in values else None
        steps = values["steps"] or [] if "steps" in values else None
        drawn = await read(automation_id, row, triggers, steps, problems, by=by)
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
                    unsubscribe_lists = {unsubscribe_lists}::bigint[],
                    updated_at = {now}::timestamptz
                WHERE a.id = {id}::bigint
                """,
                **{key: settings.get(key, row[key]) for key in SETTINGS},
                now=by.now,
                id=automation_id,
            )
        )
        given = {key: value for key, value in (("triggers", triggers), ("steps", steps)) if value is not None}
        if live and given:
            await go_live(automation_id, row, drawn, with_triggers=triggers is not None, by=by)
        elif given:
            await store.draft(automation_id, given)


async def read(
    automation_id: int, row: Mapping[str, Any], triggers: Any, steps: Any, problems: Problems, *, by: Caller
) -> Drawing:
    """What is drawn for an automation that is there; adds to `problems` also what may not change any more."""
    drawn = await drawing.read(triggers, steps, by.now, problems)
    if drawn.graph is not None:
        live = orjson.loads(row["graph"])["steps"]
        problems.extend(await splits.frozen(automation_id, live, drawn.graph, steps), "steps")
    return drawn


async def go_live(
    automation_id: int,
    row: Mapping[str, Any],
    drawn: Drawing,
    *,
    with_triggers: bool,
    moves: Mapping[str, str] | None = None,
    by: Caller,
) -> None:
    """Publish what was drawn; what was kept as a draft is forgotten. Who stands on a step of `moves` is moved."""
    if with_triggers:
        await store.triggers(automation_id, drawn, by=by)
        await watching.soon()
    if drawn.graph is not None and orjson.loads(row["graph"]) != drawn.stored_graph():
        await store.version(automation_id, drawn, by=by)
        await store.wake_changed(automation_id, orjson.loads(row["graph"]), drawn.stored_graph(), by=by)
    if moves:
        await store.move(automation_id, moves, by=by)
    await store.draft(automation_id, None)
    await bell.ring("advance")


async def copy(automation_id: int, name: str | None, *, by: Caller) -> int:
    """The same again under another name, not active; its id. Refused: NOT_FOUND at `id`, and what `create` refuses."""
    row = await db.row(_AS_IT_IS.with_(id=automation_id, lock=NOTHING))
    if row is None:
        raise not_found("automation", "id")
    values = {key: row[key] for key in SETTINGS}
    values["name"] = f"Copy of {row['name']}"[:NAME_LENGTH_MAX] if name is None else name
    steps = orjson.loads(row["graph"])["steps"]
    return await create(values | {"triggers": await drawing.triggers_of(automation_id), "steps": steps}, by=by)


async def archive(automation_id: int, *, by: Caller) -> None:
    """Put away for good: nobody enters or moves any more, and who is inside is at the end (AUTOMATION_ARCHIVED); many
    of them a moment later, by the engine. What happened can still be read. Refused: NOT_FOUND at `id`."""
    async with db.transaction():
        row = await hold(automation_id)
        await db.execute(
            Sql(
                """
                UPDATE automation a
                SET status = 'ARCHIVED',
                    active_since = NULL,
                    updated_at = {now}::timestamptz
                WHERE a.id = {id}::bigint
                  AND a.status <> 'ARCHIVED'
                """,
                now=by.now,
                id=automation_id,
            )
        )
        if row["stopped_by"] is not None:
            await standstill.release(automation_id, by=by)  # to where they are called off (services/departure.py)
        await put_away.end_some(automation_id, by=by)
        await bell.ring("advance")


async def activate(automation_id: int, *, by: Caller) -> None:
    """Contacts enter and move from now on. Overdue waits end, and rules that somebody waits for are looked at anew.
    E-mails that were held since it stopped by itself go out, and complaints are counted anew.

    Refused: NOT_FOUND at `id`, ARCHIVED, and (Invalid) what its steps and triggers name that is gone.
    """
    async with db.transaction():
        row = await hold(automation_id)
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
                    stopped_by = NULL,
                    updated_at = {now}::timestamptz
                WHERE a.id = {id}::bigint
                """,
                now=by.now,
                id=automation_id,
            )
        )
        if row["stopped_by"] is not None:
            await standstill.release(automation_id, by=by)
        await store.wake(automation_id, Sql("r.watching"), by=by)
        await bell.ring("advance")
        await watching.soon()


async def deactivate(automation_id: int, *, by: Caller) -> None:
    """Nobody enters or moves from now on; who is inside holds; clocks of waits run on. Refused: NOT_FOUND at `id`."""
    async with db.transaction():
        await hold(automation_id)
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

UNSET = {"description": None, "timezone": None, "exit_on_unsubscribe": False, "unsubscribe_lists": None}
SETTINGS = ("name", "description", "timezone", "entry_policy", "exit_on_unsubscribe", "unsubscribe_lists")

_AS_IT_IS = Sql(
    """
    SELECT a.name, a.description, a.timezone, a.entry_policy, a.exit_on_unsubscribe, a.unsubscribe_lists, a.status,
           a.stopped_by, a.draft, av.graph
    FROM automation a
    JOIN automation_version av ON av.id = a.version_id
    WHERE a.id = {id}::bigint
    {lock}
    """
)


async def hold(automation_id: int) -> dict[str, Any]:
    """The automation and its live graph, alone: no pass moves or enters anybody until the commit."""
    await locks.hold(automation_id)
    row = await db.row(_AS_IT_IS.with_(id=automation_id, lock=Sql("FOR UPDATE OF a")))
    if row is None:
        raise not_found("automation", "id")
    return row


async def _settings(values: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
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
    if "unsubscribe_lists" in given:
        lists = list(values["unsubscribe_lists"] or ())
        named = [Reference("list", number, ("unsubscribeLists", str(at))) for at, number in enumerate(lists)]
        problems.extend(await unknown(named))
        found["unsubscribe_lists"] = lists or None
    return found
