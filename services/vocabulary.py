"""The tags themselves: made, described, renamed, merged and deleted, without anything happening to contacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit import db
from kit.errors import Problems, conflict, invalid, not_found
from kit.sql import Sql
from kit.text import TEXT_LENGTH_MAX
from services import jobs, limits, segments, tags, views
from services.caller import Caller
from services.given import Given

MERGED_AT_ONCE_MAX = 50
# A tag of a million contacts is merged or deleted in one statement, which takes longer than most.


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new tag from `name description`; its id. Refused: a faulty name, NAME_TAKEN, TAG_LIMIT."""
    problems = Problems()
    name = _name(values, problems)
    description = _description(values, problems)
    problems.refuse()
    async with db.transaction():
        left = await limits.room("tag")
        made = await db.value(
            Sql(
                """
                INSERT INTO tag (name, description, created_at)
                VALUES ({name}, {description}, {now})
                ON CONFLICT DO NOTHING
                RETURNING id
                """,
                name=name,
                description=description,
                now=by.now,
            )
        )
        if made is None:
            raise conflict("NAME_TAKEN", "There is a tag of this name.", "name")
        if left == 0:
            raise limits.reached("tag", "name")
        return made


async def update(tag_id: int, values: Mapping[str, Any], *, by: Caller) -> dict[str, str]:
    """Rename or describe a tag; what is absent stays. The old name by the new one, where it is another.

    Refused: NOT_FOUND; a faulty name; NAME_TAKEN by another tag, with which it can be merged.
    """
    old = await _lock([tag_id], "id")
    problems = Problems()
    name = _name(values, problems) if "name" in values else old[tag_id]
    description = _description(values, problems)
    problems.refuse()
    taken = Sql(
        "SELECT t.id FROM tag t WHERE lower(t.name) = lower({name}::text) AND t.id <> {id}::bigint",
        name=name,
        id=tag_id,
    )
    if await db.value(taken) is not None:
        raise conflict("NAME_TAKEN", "Another tag has this name. Merge the two instead.", "name")
    await db.execute(
        Sql(
            """
            UPDATE tag t
            SET name = {name},
                description = CASE WHEN {described}::boolean THEN {description}::text ELSE t.description END
            WHERE t.id = {id}::bigint
            """,
            id=tag_id,
            name=name,
            described="description" in values,
            description=description,
        )
    )
    await _rename_in_forms([old[tag_id]], name)
    await segments.rename_tags([old[tag_id]], name, by=by)
    await views.rename_tags([old[tag_id]], name, by=by)
    return {} if old[tag_id] == name else {old[tag_id]: name}


async def merge(tag_ids: Sequence[int], into: int, *, by: Caller) -> dict[str, str]:
    """Whoever has one of the tags has the tag `into` instead, once; the others are gone. Their names by its name.

    When somebody has been tagged is kept, by the earliest of the tags. No contact was given a tag or lost one, so
    there are no facts and no trigger fires. Refused: NOT_FOUND, a tag merged into itself, more than 50 at once.
    """
    kept, gone = await to_merge(tag_ids, into)
    moved = Sql(
        """
            INSERT INTO contact_tag AS ct (contact_id, tag_id, added_at)
            SELECT had.contact_id, {into}::bigint, min(had.added_at)
            FROM contact_tag had
            WHERE had.tag_id = ANY({gone}::bigint[])
            GROUP BY had.contact_id
            ORDER BY had.contact_id
            ON CONFLICT (contact_id, tag_id) DO UPDATE SET added_at = least(ct.added_at, excluded.added_at)
            """,
        into=into,
        gone=list(gone),
    )
    await jobs.patiently(moved)
    await jobs.patiently(Sql("DELETE FROM tag t WHERE t.id = ANY({gone}::bigint[])", gone=list(gone)))
    await _rename_in_forms(list(gone.values()), kept)
    await segments.rename_tags(list(gone.values()), kept, by=by)
    await views.rename_tags(list(gone.values()), kept, by=by)
    return dict.fromkeys(gone.values(), kept)


async def to_merge(tag_ids: Sequence[int], into: int) -> tuple[str, dict[int, str]]:
    """The name of the tag that stays, and the others by their ids; locked, and refused as `merge` says."""
    if not tag_ids or len(tag_ids) > MERGED_AT_ONCE_MAX:
        raise invalid("OUT_OF_RANGE", f"Merge between 1 and {MERGED_AT_ONCE_MAX} tags at once.", "fromIds")
    if into in tag_ids:
        raise invalid("INVALID_VALUE", "A tag cannot be merged into itself.", "intoId")
    return (await _lock([into], "intoId"))[into], await _lock(tag_ids, "fromIds")


async def tagged(tag_ids: Sequence[int]) -> int:
    """How often the tags were given, all together."""
    return await db.value(
        Sql("SELECT count(*) FROM contact_tag ct WHERE ct.tag_id = ANY({ids}::bigint[])", ids=list(tag_ids))
    )


async def delete(tag_id: int, *, by: Caller) -> None:
    """Take a tag away from everybody, for ever, without a fact. Refused: NOT_FOUND."""
    await _lock([tag_id], "id")
    await jobs.patiently(Sql("DELETE FROM tag t WHERE t.id = {id}::bigint", id=tag_id))


async def _rename_in_forms(old: Sequence[str], new: str) -> None:
    """Forms that give one of these tags give the tag by its new name."""
    await db.execute(
        Sql(
            """
            UPDATE form fo
            SET actions = (
                SELECT jsonb_agg(
                    CASE
                        WHEN lower(w.action -> 'addTag' ->> 'tag') = ANY({old}::text[])
                        THEN jsonb_set(w.action, ARRAY['addTag', 'tag'], to_jsonb({new}::text))
                        ELSE w.action
                    END
                    ORDER BY w.position
                )
                FROM jsonb_array_elements(fo.actions) WITH ORDINALITY AS w (action, position)
            )
            WHERE EXISTS (
                SELECT
                FROM jsonb_array_elements(fo.actions) AS w (action)
                WHERE lower(w.action -> 'addTag' ->> 'tag') = ANY({old}::text[])
            )
            """,
            old=[name.lower() for name in old],
            new=new,
        )
    )


async def _lock(tag_ids: Sequence[int], path: str) -> dict[int, str]:
    """The tags by their ids, so that nobody else renames or deletes them meanwhile."""
    found = await db.rows(
        Sql(
            """
            SELECT t.id, t.name
            FROM tag t
            WHERE t.id = ANY({ids}::bigint[])
            ORDER BY t.id
            FOR UPDATE
            """,
            ids=list(tag_ids),
        )
    )
    if {row["id"] for row in found} != set(tag_ids):
        raise not_found("tag", path)
    return {row["id"]: row["name"] for row in found}


def _name(values: Mapping[str, Any], problems: Problems) -> str:
    problem = tags.name_problem(values.get("name"))
    if problem is not None:
        problems.extend([problem], "name")
        return ""
    return Given(values, problems).required_text("name", length_max=tags.TAG_LENGTH_MAX)


def _description(values: Mapping[str, Any], problems: Problems) -> str | None:
    return Given(values, problems).text("description", length_max=TEXT_LENGTH_MAX, lines=True)
