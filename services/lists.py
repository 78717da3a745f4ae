"""Lists: what contacts can be subscribed to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from kit import db
from kit.errors import Conflict, Problem, Problems, not_found
from kit.sql import Sql
from kit.text import TEXT_LENGTH_MAX
from segments import rule
from services import limits, score_rules, segments, watching
from services.caller import Caller
from services.given import Given

CHANNELS = ("EMAIL", "SMS")
KINDS = ("MAILING", "STATIC", "SMART")
NAME_TAKEN = Problem("NAME_TAKEN", "Another list has this name.")


async def create(
    name: str,
    *,
    description: str | None = None,
    channel: str | None = "EMAIL",
    double_opt_in: bool | None = False,
    kind: str | None = "MAILING",
    where: Any = None,
    by: Caller,
) -> int:
    """A new list; its id. One that is SMART has a rule `where`, and whoever meets it is on it (HS2).

    Refused: no name or one that exists, whatever its case (NAME_TAKEN), an unknown channel or kind, one MAILING list
    too many (LIST_LIMIT), a rule that is faulty or that only SMART lists have, a SMART list without one.
    """
    problems = Problems()
    given = Given({"name": name, "description": description, "channel": channel, "kind": kind}, problems)
    name = given.required_text("name")
    description = given.text("description", length_max=TEXT_LENGTH_MAX, lines=True)
    channel = given.choice("channel", CHANNELS, "EMAIL")
    kind = given.choice("kind", KINDS, "MAILING")
    async with db.transaction():
        await _check(kind, where, problems, by=by)
        problems.refuse()
        if kind == "MAILING" and await find_by_name(name) is None:
            await limits.require_room("list")
        made = await db.value(
            Sql(
                """
                INSERT INTO contact_list (
                    name, description, channel, double_opt_in, kind, condition, created_at, updated_at
                )
                VALUES (
                    {name}, {description}, {channel}, {double_opt_in}::boolean, {kind}, {where}::jsonb, {now}, {now}
                )
                ON CONFLICT DO NOTHING
                RETURNING id
                """,
                name=name,
                description=description,
                channel=channel,
                double_opt_in=bool(double_opt_in),
                kind=kind,
                where=None if where is None else db.jsonb(where),
                now=by.now,
            )
        )
        if made is None:
            raise _taken()
        if kind == "SMART":
            await watching.soon()
        return made


async def update(list_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change `name description double_opt_in`, of a SMART list also `where`; what is absent stays, so does the kind.

    Refused: NOT_FOUND, and what `create` refuses; LIST_CYCLE for a rule that follows from who is on the list.
    """
    async with db.transaction():
        row = await db.row(
            Sql(
                """
                SELECT l.name, l.description, l.double_opt_in, l.kind, l.condition
                FROM contact_list l
                WHERE l.id = {id}::bigint
                FOR NO KEY UPDATE
                """,
                id=list_id,
            )
        )
        if row is None:
            raise not_found("list", "id")
        problems = Problems()
        given = Given(values, problems)
        where = None if row["condition"] is None else orjson.loads(row["condition"])
        if "name" in values:
            row["name"] = given.required_text("name")
        if "description" in values:
            row["description"] = given.text("description", length_max=TEXT_LENGTH_MAX, lines=True)
        if values.get("double_opt_in") is not None:
            row["double_opt_in"] = bool(values["double_opt_in"])
        if "where" in values:
            where = values["where"]
            await _check(row["kind"], where, problems, list_id=list_id, by=by)
        problems.refuse()
        changed = await db.value(
            Sql(
                """
                UPDATE contact_list l
                SET name = {name}::text,
                    description = {description}::text,
                    double_opt_in = {double_opt_in}::boolean,
                    condition = {where}::jsonb,
                    updated_at = {now}::timestamptz
                WHERE l.id = {id}::bigint
                  AND NOT EXISTS (
                      SELECT FROM contact_list other WHERE lower(other.name) = lower({name}::text) AND other.id <> l.id
                  )
                RETURNING l.id
                """,
                id=list_id,
                name=row["name"],
                description=row["description"],
                double_opt_in=row["double_opt_in"],
                where=None if where is None else db.jsonb(where),
                now=by.now,
            )
        )
        if changed is None:
            raise _taken()
        if row["kind"] == "SMART" and "where" in values:
            await watching.soon()


async def is_smart(list_id: int) -> bool:
    """Whether members of this list follow from its rule."""
    kind = await db.value(Sql("SELECT l.kind FROM contact_list l WHERE l.id = {id}::bigint", id=list_id))
    return kind == "SMART"


async def find_by_name(name: str) -> int | None:
    """The id of the list of this name, whatever its case."""
    return await db.value(Sql("SELECT l.id FROM contact_list l WHERE lower(l.name) = lower({name}::text)", name=name))


async def _check(kind: str | None, where: Any, problems: Problems, *, list_id: int | None = None, by: Caller) -> None:
    """The rule of a SMART list; others have none."""
    if kind != "SMART":
        if where is not None:
            problems.add("INVALID_VALUE", "Only a SMART list has a rule.", "where")
        return
    await limits.room("segment")  # the lock of whoever saves rules that segments can be part of
    reading = await rule.reading(by.now)
    condition = await segments.check_rule(where, reading, problems)
    if condition is None or list_id is None:
        return
    follows = await score_rules.following("list", list_id, reading.segments)
    for each in condition.references(("where",)):
        if (each.kind, each.key) in follows:
            problems.add("LIST_CYCLE", "Who is on a list cannot follow from who is on it.", *each.path)


def _taken() -> Conflict:
    return Conflict(NAME_TAKEN.below("name"))
