"""What automations name, tags and fields, can be called otherwise, merged or deleted: they go on by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from kit import card, db
from kit.errors import Invalid
from kit.shape import camel
from kit.sql import Sql
from segments import rule
from services import fields, jobs, vocabulary
from services.caller import Caller
from services.renaming import Names, renamed
from workflows import graph, locks, step, store, trigger

MERGE = "merge_tags"
MERGED_NOW_MAX = 50_000  # times that the tags were given; more are merged by a job


async def update_tag(tag_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """`vocabulary.update`, and every automation that names the tag calls it by its new name."""
    async with db.transaction():
        held = await _hold([tag_id])
        await _rename(held, await vocabulary.update(tag_id, values, by=by), by=by)


async def merge_tags(tag_ids: Sequence[int], into: int, *, by: Caller) -> None:
    """`vocabulary.merge`, and every automation that names one of the tags names the one that stays.

    Nobody enters by it. Who waits inside for having the tag that stays goes on.
    """
    async with db.transaction():
        held = await _hold(tag_ids)
        await _wake_tagged(tag_ids, by=by)
        await _repoint(tag_ids, into)
        await _rename(held, await vocabulary.merge(tag_ids, into, by=by), by=by)


async def begin_merge_tags(tag_ids: Sequence[int], into: int, *, by: Caller) -> int | None:
    """`merge_tags`, at once where few contacts have the tags; else by a job, whose id this is. Refused as it is."""
    if await vocabulary.tagged(tag_ids) <= MERGED_NOW_MAX:
        await merge_tags(tag_ids, into, by=by)
        return None
    async with db.transaction():
        await vocabulary.to_merge(tag_ids, into)
        return await jobs.begin(MERGE, {"tag_ids": list(tag_ids), "into": into}, by=by)


async def delete_tag(tag_id: int, *, by: Caller) -> None:
    """`vocabulary.delete`. Conditions that name the tag treat it as one that nobody has; who waits inside for losing
    it goes on. A tag of this name that is made later is the one that automations mean."""
    async with db.transaction():
        await _wake_tagged([tag_id], by=by)
        await vocabulary.delete(tag_id, by=by)


async def delete_field(field_id: int, *, by: Caller) -> None:
    """`fields.delete`. Conditions that name the field treat it as one in which nobody has a value; who waits inside for
    that goes on."""
    async with db.transaction():
        filled = "r.contact_id IN (SELECT v.contact_id FROM field_value v WHERE v.field_id = {id}::bigint)"
        await store.wake_watching(Sql(filled, id=field_id), by.now)
        await fields.delete(field_id, by=by)


# ------------------------------------------------------------------------------------------------------------ rewriting


async def _hold(tag_ids: Sequence[int]) -> list[int]:
    """The automations that may name one of these tags, held before the tags are, as those who move in them do it."""
    await locks.hold_names()
    held = await db.column(
        Sql(
            """
            SELECT a.id
            FROM automation a
            JOIN automation_version av ON av.id = a.version_id
            WHERE EXISTS (
                SELECT
                FROM tag t
                WHERE t.id = ANY({ids}::bigint[])
                  AND position(lower(trim('"' FROM to_jsonb(t.name)::text)) IN lower(concat(av.graph, a.draft, (
                      SELECT jsonb_agg(jsonb_build_array(g.parameters, g.condition))
                      FROM trigger g
                      WHERE g.automation_id = a.id
                        AND g.removed_at IS NULL
                  )))) > 0
            )
            ORDER BY a.id
            """,
            ids=list(tag_ids),
        )
    )
    for automation_id in held:
        await locks.hold(automation_id)
    return held


async def _rename(automations: Iterable[int], names: Names, *, by: Caller) -> None:
    """Write the new names into the live version of each automation, as its next one, and into its triggers."""
    names = {old.lower(): new for old, new in names.items()}
    for automation_id in automations if names else ():
        await _rename_in_triggers(automation_id, names)
        await _rename_in_steps(automation_id, names, by=by)
        await _rename_in_draft(automation_id, names)


async def _rename_in_steps(automation_id: int, names: Names, *, by: Caller) -> None:
    stored = await db.value(
        Sql(
            """
            SELECT av.graph
            FROM automation a
            JOIN automation_version av ON av.id = a.version_id
            WHERE a.id = {id}::bigint
            """,
            id=automation_id,
        )
    )
    before = orjson.loads(stored)["steps"]
    after = [_renamed_step(each, names) for each in before]
    if after != before:
        drawn, _ = graph.read(after)
        await store.write(automation_id, drawn, {"steps": after}, by=by)


def _renamed_step(given: dict[str, Any], names: Names) -> dict[str, Any]:
    """The step with the new names; its label too, where its designer gave it none."""
    try:
        old = step.read(given["do"])
    except Invalid:
        return given
    do = renamed(given["do"], card.references(old, (camel(old.kind),)), names)
    if do == given["do"]:
        return given
    if given.get("label") == old.describe():
        return {**given, "do": do, "label": step.read(do).describe()}
    return {**given, "do": do}


async def _rename_in_draft(automation_id: int, names: Names) -> None:
    """What is not published yet is drawn with the new names, too."""
    stored = await db.value(Sql("SELECT a.draft FROM automation a WHERE a.id = {id}::bigint", id=automation_id))
    if stored is None:
        return
    draft = orjson.loads(stored)
    if "steps" in draft:
        draft["steps"] = [_renamed_step(each, names) for each in draft["steps"]]
    for each in draft.get("triggers", ()):
        each["on"], each["where"] = _renamed_trigger(each["on"], each.get("where"), names)
    await store.draft(automation_id, draft)


async def _rename_in_triggers(automation_id: int, names: Names) -> None:
    rows = await db.rows(
        Sql(
            """
            SELECT g.id, g.parameters, g.condition
            FROM trigger g
            WHERE g.automation_id = {id}::bigint
              AND g.removed_at IS NULL
            """,
            id=automation_id,
        )
    )
    for row in rows:  # a handful of triggers, not contacts
        before = orjson.loads(row["parameters"]), orjson.loads(row["condition"] or "null")
        after = _renamed_trigger(*before, names)
        if after != before:
            await db.execute(
                Sql(
                    """
                    UPDATE trigger g
                    SET parameters = {parameters}::jsonb,
                        condition = nullif({condition}::jsonb, 'null')
                    WHERE g.id = {id}::bigint
                    """,
                    id=row["id"],
                    parameters=db.jsonb(after[0]),
                    condition=db.jsonb(after[1]),
                )
            )


def _renamed_trigger(on: Any, where: Any, names: Names) -> tuple[Any, Any]:
    try:
        drawn = trigger.read(on)
        on = renamed(on, card.references(drawn, (camel(drawn.kind),)), names)
        where = None if where is None else renamed(where, rule.parse(where).references(), names)
    except Invalid:
        pass  # what can no longer be read says nothing
    return on, where


# --------------------------------------------------------------------------------------------------- triggers and waits


async def _repoint(tag_ids: Sequence[int], into: int) -> None:
    """Triggers, and facts that nobody has looked at, are about the tag that stays."""
    await db.execute(
        Sql(
            """
            WITH unheard AS (
                UPDATE event e
                SET subject = {into}::bigint
                FROM pending_event pe
                WHERE e.id = pe.event_id
                  AND e.kind IN ('TAG_ADDED', 'TAG_REMOVED')
                  AND e.subject = ANY({gone}::bigint[])
            )
            UPDATE trigger g
            SET subject = {into}::bigint
            WHERE g.kind IN ('TAG_ADDED', 'TAG_REMOVED')
              AND g.subject = ANY({gone}::bigint[])
            """,
            into=into,
            gone=list(tag_ids),
        )
    )


async def _wake_tagged(tag_ids: Sequence[int], *, by: Caller) -> None:
    tagged = Sql(
        "r.contact_id IN (SELECT ct.contact_id FROM contact_tag ct WHERE ct.tag_id = ANY({ids}::bigint[]))",
        ids=list(tag_ids),
    )
    await store.wake_watching(tagged, by.now)
