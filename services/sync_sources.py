"""Sources: tables and queries of other databases that contacts or orders are kept in step with (AC28)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from kit import db
from kit.errors import conflict, not_found
from kit.sql import Sql
from services import schedules, sync_values, vault
from services.caller import Caller
from services.cursor_mark import Mark
from services.database import Address
from services.mapping import Targets

# What may be changed while rows of the source are on their way.
_HARMLESS = {"name", "schedule", "timezone"}


@dataclass(frozen=True, slots=True)
class SyncSource:
    """A source as a run of it needs to know it."""

    id: int
    name: str
    kind: str
    address: Address = field(repr=False)
    brings: str
    table: str | None
    query: str | None
    targets: Targets
    external_source: str
    list_id: int | None
    tags: tuple[str, ...]
    update: bool
    accepts_marketing: bool
    region_column: str | None
    cursor_column: str | None
    overlap: int
    mark: Mark | None
    timezone: str


async def create(values: Mapping[str, Any], *, by: Caller) -> int:
    """A new source; its id. `values` as in `sync_values.read`, which says what is refused; NAME_TAKEN."""
    columns = await sync_values.read(values, by=by)
    made = await db.value(
        Sql(
            """
            INSERT INTO sync_source (
                name, kind, host, port, database_name, username, password, tls, brings, table_name, query, mapping,
                external_source, list_id, tags, update_existing, accepts_marketing, region_column, cursor_column,
                overlap, schedule, timezone, next_run_at, created_at, updated_at
            )
            VALUES ({columns}, {now}::timestamptz, {now}::timestamptz)
            ON CONFLICT DO NOTHING
            RETURNING id
            """,
            columns=_columns(columns, await _sealed(values.get("password")), by.now),
            now=by.now,
        )
    )
    if made is None:
        raise _taken()
    return made


async def update(source_id: int, values: Mapping[str, Any], *, by: Caller) -> None:
    """Change what `values` names; what is absent stays. What was read before is read again where it is another now.

    Refused: NOT_FOUND, what `create` refuses, and IN_USE for most of it while a run is on its way.
    """
    async with db.transaction():
        known = await find_row(source_id, lock=True)
        if known is None:
            raise not_found("sync source", "id")
        if not set(values) <= _HARMLESS and await is_running(source_id):
            raise conflict("IN_USE", "A run of this source is on its way. Wait for its end, or cancel its job.", "id")
        columns = await sync_values.read(values, known=known, by=by)
        password = await _sealed(values["password"]) if "password" in values else known["password"]
        other = any(columns[each] != known[each] for each in sync_values.READ)
        changed = await db.value(
            Sql(
                """
                UPDATE sync_source sy
                SET (
                        name, kind, host, port, database_name, username, password, tls, brings, table_name, query,
                        mapping, external_source, list_id, tags, update_existing, accepts_marketing, region_column,
                        cursor_column, overlap, schedule, timezone, next_run_at
                    ) = ROW ({columns}),
                    mark = CASE WHEN NOT {other}::boolean THEN sy.mark END,
                    updated_at = {now}::timestamptz
                WHERE sy.id = {id}::bigint
                  AND NOT EXISTS (
                      SELECT
                      FROM sync_source taken
                      WHERE lower(taken.name) = lower({name}::text)
                        AND taken.id <> sy.id
                  )
                RETURNING sy.id
                """,
                columns=_columns(columns, password, by.now),
                other=other,
                name=columns["name"],
                id=source_id,
                now=by.now,
            )
        )
        if changed is None:
            raise _taken()


async def delete(source_id: int) -> None:
    """Forget a source, its password and its runs; what it brought stays. Refused: NOT_FOUND; IN_USE while it runs."""
    if await find_row(source_id, lock=True) is None:
        raise not_found("sync source", "id")
    if await is_running(source_id):
        raise conflict("IN_USE", "A run of this source is on its way. Wait for its end, or cancel its job.", "id")
    await db.execute(Sql("DELETE FROM sync_source sy WHERE sy.id = {id}::bigint", id=source_id))


async def get(source_id: int) -> SyncSource:
    """The source with its password. Refused: NOT_FOUND; a password that cannot be read any more."""
    row = await find_row(source_id)
    if row is None:
        raise not_found("sync source", "id")
    return made_of(row, None if row["password"] is None else await vault.unseal(row["password"]))


def made_of(row: Mapping[str, Any], password: str | None) -> SyncSource:
    """The source that these columns are."""
    where = (row["host"], row["port"], row["database_name"], row["username"], password, row["tls"])
    targets = row["mapping"]
    return SyncSource(
        id=row.get("id", 0),
        name=row["name"],
        kind=row["kind"],
        address=Address(*where),
        brings=row["brings"],
        table=row["table_name"],
        query=row["query"],
        targets=dict(targets),
        external_source=row["external_source"],
        list_id=row["list_id"],
        tags=tuple(row["tags"]),
        update=row["update_existing"],
        accepts_marketing=row["accepts_marketing"],
        region_column=row["region_column"],
        cursor_column=row["cursor_column"],
        overlap=row["overlap"],
        mark=Mark.read(row.get("mark")),
        timezone=row["timezone"],
    )


async def find_row(source_id: int, *, lock: bool = False) -> dict[str, Any] | None:
    """The columns of a source, locked if they are to change."""
    row = await db.row(
        Sql(
            "SELECT sy.* FROM sync_source sy WHERE sy.id = {id}::bigint {lock}",
            id=source_id,
            lock=Sql("FOR UPDATE") if lock else Sql(""),
        )
    )
    if row is None:
        return None
    read = {column: orjson.loads(row[column] or "null") for column in ("mapping", "mark", "next_mark")}
    return {**row, **read, "password": None if row["password"] is None else bytes(row["password"])}


async def is_running(source_id: int) -> bool:
    """Whether a run of the source has not come to its end."""
    return await db.value(
        Sql(
            "SELECT EXISTS (SELECT FROM import_job j WHERE j.sync_id = {id}::bigint AND j.finished_at IS NULL)",
            id=source_id,
        )
    )


async def keep_mark(source_id: int, mark: Mark | None) -> None:
    """The mark behind what was read, for the moment when all of it is taken in."""
    await db.execute(
        Sql(
            "UPDATE sync_source sy SET next_mark = {mark}::jsonb WHERE sy.id = {id}::bigint",
            mark=None if mark is None else db.jsonb(mark.stored()),
            id=source_id,
        )
    )


async def move_mark(source_id: int) -> None:
    """All of it is taken in."""
    await db.execute(
        Sql(
            """
            UPDATE sync_source sy
            SET mark = sy.next_mark,
                next_mark = NULL
            WHERE sy.id = {id}::bigint
            """,
            id=source_id,
        )
    )


async def _sealed(password: str | None) -> bytes | None:
    return None if password is None else await vault.seal(password)


def _columns(found: Mapping[str, Any], password: bytes | None, now: datetime) -> Sql:
    schedule = found["schedule"]
    return Sql(
        """
        {name}::text, {kind}::text, {host}::text, {port}::integer, {database_name}::text, {username}::text,
        {password}::bytea, {tls}::text, {brings}::text, {table_name}::text, {query}::text, {mapping}::jsonb,
        {external_source}::text, {list_id}::bigint, {tags}::text[], {update_existing}::boolean,
        {accepts_marketing}::boolean, {region_column}::text, {cursor_column}::text, {overlap}::integer,
        {schedule}::text, {timezone}::text, {next}::timestamptz
        """,
        **{**found, "mapping": db.jsonb(list(found["mapping"].items()))},
        password=password,
        next=None if schedule is None else schedules.following(schedule, found["timezone"], now),
    )


def _taken() -> Exception:
    return conflict("NAME_TAKEN", "Another source has this name.", "name")
