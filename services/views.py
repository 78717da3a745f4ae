"""Saved views: which columns of which contacts in which order, kept under a name for oneself or for everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from kit import db
from kit.errors import Conflict, Invalid, NotAllowed, NotFound, Problem, Problems, conflict, not_found
from kit.sql import TRUE, Sql
from segments import rule
from segments.reading import Reading
from services import renaming
from services.caller import Caller, Role
from services.given import Given
from services.references import unknown

NAME_LENGTH_MAX = 200
COLUMNS_MAX = 100
SORTS_MAX = 5

Part = Mapping[str, Any]  # {"by": "EMAIL"} or {"by": "FIELD", "fieldName": "country"}; of an order with a direction


@dataclass(frozen=True, slots=True)
class View:
    """What a view asks for; an order by a field that is no more is left out."""

    condition: Any
    search: str | None
    sort: list[dict[str, Any]]


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new view from `name columns where search sort shared`; its id.

    Refused, all faults at once: no name, no column or one twice, an unknown custom field, a faulty rule, what it names
    and is not there; then NAME_TAKEN by another view of the same user.
    """
    async with db.transaction():
        problems = Problems()
        given = await _checked(dict(values), problems, by=by)
        for key in ("name", "columns"):
            if key not in values:
                problems.add("REQUIRED", "This cannot be empty.", key)
        problems.refuse()
        made = await db.value(
            Sql(
                """
                INSERT INTO saved_view (name, columns, condition, search, sort, shared, user_id, created_at, updated_at)
                VALUES (
                    {name}, {columns}::jsonb, {condition}::jsonb, {search}::text, {sort}::jsonb, {shared}::boolean,
                    {user}::bigint, {now}::timestamptz, {now}::timestamptz
                )
                ON CONFLICT DO NOTHING
                RETURNING id
                """,
                name=given["name"],
                columns=db.jsonb(given["columns"]),
                condition=_stored(given.get("where")),
                search=given.get("search"),
                sort=db.jsonb(given.get("sort") or []),
                shared=bool(given.get("shared")),
                user=by.user_id,
                now=by.now,
            )
        )
        if made is None:
            raise _taken()
        return made


async def update(view_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change a view; what is absent stays, null clears `where`, `search` and `sort`. Refused as by `create`; NOT_FOUND
    for what is somebody else's, FORBIDDEN for what somebody else shares, unless the caller is an admin."""
    async with db.transaction():
        await _own(view_id, by=by)
        problems = Problems()
        given = await _checked(dict(values), problems, by=by)
        problems.refuse()
        changed = await db.value(
            Sql(
                """
                UPDATE saved_view vw
                SET name = coalesce({name}::text, vw.name),
                    columns = coalesce({columns}::jsonb, vw.columns),
                    condition = CASE WHEN {filtered}::boolean THEN {condition}::jsonb ELSE vw.condition END,
                    search = CASE WHEN {searched}::boolean THEN {search}::text ELSE vw.search END,
                    sort = coalesce({sort}::jsonb, vw.sort),
                    shared = coalesce({shared}::boolean, vw.shared),
                    updated_at = {now}::timestamptz
                WHERE vw.id = {id}::bigint
                  AND NOT EXISTS (
                      SELECT FROM saved_view other
                      WHERE other.user_id = vw.user_id
                        AND lower(other.name) = lower({name}::text)
                        AND other.id <> vw.id
                  )
                RETURNING vw.id
                """,
                id=view_id,
                name=given.get("name"),
                columns=db.jsonb(given["columns"]) if "columns" in given else None,
                filtered="where" in given,
                condition=_stored(given.get("where")),
                searched="search" in given,
                search=given.get("search"),
                sort=db.jsonb(given["sort"] or []) if "sort" in given else None,
                shared=given.get("shared"),
                now=by.now,
            )
        )
        if changed is None:
            raise _taken()


async def delete(view_id: int, *, by: Caller) -> None:
    """Take a view away; the contacts stay. Refused as by `update`."""
    await _own(view_id, by=by)
    await db.execute(Sql("DELETE FROM saved_view vw WHERE vw.id = {id}::bigint", id=view_id))


def visible(by: Caller) -> Sql:
    """The views a caller sees, over `vw`: one's own and those that are shared."""
    return Sql("(vw.shared OR vw.user_id = {user}::bigint)", user=by.user_id or 0)


def readable(by: Caller) -> Sql:
    """The views a caller may look at by their ids, over `vw`: admins also what others keep to themselves."""
    return TRUE if by.role >= Role.ADMIN else visible(by)


async def get(view_id: int, reading: Reading, *, by: Caller) -> View:
    """What a view asks for now. Refused: NOT_FOUND for what the caller does not see."""
    row = await _row(view_id, "view", by=by)
    sort = [part for part in orjson.loads(row["sort"]) if part["by"] != "FIELD" or reading.field(part["fieldName"])]
    return View(orjson.loads(row["condition"]) if row["condition"] else None, row["search"], sort)


async def rename_tags(old: Sequence[str], new: str, *, by: Caller) -> None:
    """Views that name one of these tags name the new one instead."""
    names = {name.lower(): new for name in old}
    rows = await db.rows(
        Sql("SELECT vw.id, vw.condition FROM saved_view vw WHERE vw.condition IS NOT NULL ORDER BY vw.id FOR UPDATE")
    )
    for row in rows:
        renamed = renaming.in_rule(row["condition"], names)
        if renamed is not None:  # a few views, not contacts
            await db.execute(
                Sql(
                    """
                    UPDATE saved_view vw
                    SET condition = {condition}::jsonb,
                        updated_at = {now}::timestamptz
                    WHERE vw.id = {id}::bigint
                    """,
                    id=row["id"],
                    condition=db.jsonb(renamed),
                    now=by.now,
                )
            )


def _stored(where: Any) -> str | None:
    return None if where is None else db.jsonb(where)


def _taken() -> Conflict:
    return conflict("NAME_TAKEN", "You have another view of this name.", "name")


async def _row(view_id: int, path: str, *, by: Caller) -> dict[str, Any]:
    row = await db.row(
        Sql(
            """
            SELECT vw.user_id, vw.condition, vw.search, vw.sort
            FROM saved_view vw
            WHERE vw.id = {id}::bigint
              AND {visible}
            """,
            id=view_id,
            visible=visible(by),
        )
    )
    if row is None:
        raise not_found("view", path)
    return row


async def _own(view_id: int, *, by: Caller) -> None:
    row = await _row(view_id, "id", by=by)
    if row["user_id"] != by.user_id and by.role < Role.ADMIN:
        raise NotAllowed(Problem("FORBIDDEN", "Only who made this view, and admins, can change it.", ("id",)))


async def _checked(values: dict[str, Any], problems: Problems, *, by: Caller) -> dict[str, Any]:
    """The values that are there, tidied; every fault is noted."""
    given = Given(values, problems)
    reading = await rule.reading(by.now)
    if "name" in values:
        values["name"] = given.required_text("name", length_max=NAME_LENGTH_MAX)
    if "search" in values:
        values["search"] = given.text("search")
    if "columns" in values:
        values["columns"] = _parts(values["columns"], "columns", reading, problems, most=COLUMNS_MAX)
        if not values["columns"] and not problems:
            problems.add("REQUIRED", "Name at least one column.", "columns")
    if values.get("sort") is not None:
        values["sort"] = _parts(values["sort"], "sort", reading, problems, most=SORTS_MAX)
    if values.get("where") is not None:
        problems.extend(await _faults(values["where"], reading))
    return values


def _parts(given: Any, key: str, reading: Reading, problems: Problems, *, most: int) -> list[dict[str, Any]]:
    """Columns, or sort keys, each once."""
    if len(given or ()) > most:
        problems.add("TOO_LONG", f"At most {most}.", key)
        return []
    found: list[dict[str, Any]] = []
    seen = set()
    for place, part in enumerate(given or ()):
        name = part.get("fieldName") if part["by"] == "FIELD" else None
        if part["by"] == "FIELD" and (not name or reading.field(name) is None):
            problems.add("UNKNOWN_FIELD", "There is no such custom field.", key, str(place), "fieldName")
        elif (part["by"], (name or "").lower()) in seen:
            problems.add("INVALID_VALUE", "This is there twice.", key, str(place))
        seen.add((part["by"], (name or "").lower()))
        found.append({word: part[word] for word in ("by", "fieldName", "direction") if part.get(word) is not None})
    return found


async def _faults(where: Any, reading: Reading) -> list[Problem]:
    try:
        condition = rule.check(where, reading, ("where",), lasting=True)
    except (Invalid, NotFound) as refusal:
        return list(refusal.problems)
    return await unknown(list(condition.references(("where",))))
