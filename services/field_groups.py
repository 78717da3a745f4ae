"""Groups of custom fields: under which heading a field is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kit import db
from kit.errors import Problems, conflict, not_found
from kit.sql import Sql
from services.caller import Caller
from services.given import Given

NAME_LENGTH_MAX = 60
POSITION_MAX = 1_000_000


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new group from `name label position`; its id. Refused: no name, or one that exists (NAME_TAKEN)."""
    problems = Problems()
    given = Given(values, problems)
    name = given.required_text("name", length_max=NAME_LENGTH_MAX)
    label = given.text("label") or name
    position = _position(given)
    problems.refuse()
    made = await db.value(_insert(name, label, position, by))
    if made is None:
        raise conflict("NAME_TAKEN", "Another group has this name.", "name")
    return made


async def update(group_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change `label` or `position`; what is absent stays. The name is fixed. Refused: NOT_FOUND."""
    problems = Problems()
    given = Given(values, problems)
    label = given.text("label")
    position = _position(given)
    problems.refuse()
    found = await db.value(
        Sql(
            """
            UPDATE field_group fg
            SET label = CASE WHEN {labelled}::boolean THEN coalesce({label}::text, fg.name) ELSE fg.label END,
                position = CASE WHEN {placed}::boolean THEN {position}::integer ELSE fg.position END
            WHERE fg.id = {id}::bigint
            RETURNING fg.id
            """,
            id=group_id,
            labelled="label" in given,
            label=label,
            placed="position" in given,
            position=position,
        )
    )
    if found is None:
        raise not_found("group", "id")


async def ensure(name: str | None, *, by: Caller) -> str | None:
    """The name of the group as it is spelled there, made if there is none; None is no group."""
    if name is None:
        return None
    if len(name) > NAME_LENGTH_MAX:
        problems = Problems()
        problems.add("TOO_LONG", f"The name of a group has at most {NAME_LENGTH_MAX} characters.", "group")
        problems.refuse()
    await db.execute(_insert(name, name, 0, by))
    return await db.value(
        Sql("SELECT fg.name FROM field_group fg WHERE lower(fg.name) = lower({name}::text)", name=name)
    )


def _position(given: Given) -> int:
    return given.integer("position", least=-POSITION_MAX, most=POSITION_MAX) or 0


def _insert(name: str, label: str, position: int, by: Caller) -> Sql:
    return Sql(
        """
        INSERT INTO field_group (name, label, position, created_at)
        VALUES ({name}, {label}, {position}::integer, {now})
        ON CONFLICT DO NOTHING
        RETURNING id
        """,
        name=name,
        label=label,
        position=position,
        now=by.now,
    )
