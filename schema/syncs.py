"""Database sync: contacts and orders from PostgreSQL, MySQL, MariaDB and SQL Server, once or on a schedule (AC28)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import strawberry
from strawberry.types import Info

from kit import ids
from kit.shape import camel
from kit.sql import Sql
from schema import paging
from schema.access import Role, admit
from schema.enums.jobs import SyncContent, SyncDatabase, SyncTls
from schema.imports import ColumnTargetInput
from schema.mutation import Given, mutation
from schema.paged import paged
from schema.paging import Key
from schema.projection.read import read_one
from schema.scalars import JSON
from schema.types.job import Job
from schema.types.sync import SyncRun, SyncSource
from services import sync_sources, syncs
from services.caller import Caller

BY_NAME = (Key("name", Sql("lower(sy.name)"), "text"), paging.by_id("sy"))
_NAMES = {
    **{word: word for word in ("name", "kind", "host", "port", "database", "username", "password", "tls", "brings")},
    **{word: word for word in ("table", "query", "mapping", "tags", "update", "overlap", "schedule", "timezone")},
    "externalSource": "external_source",
    "acceptsMarketing": "accepts_marketing",
    "phoneRegionFrom": "phone_region_from",
    "cursorColumn": "cursor_column",
}


def _said(description: str) -> Any:
    return strawberry.field(default=strawberry.UNSET, description=description)


@strawberry.input
class SyncSourceFields:
    port: int | None = _said("The usual one of this kind of database, if nothing is said.")
    password: str | None = _said("Nobody can read it again. It is needed once more when it is to go elsewhere.")
    tls: SyncTls | None = _said("PREFER, if nothing is said.")
    brings: SyncContent | None = _said("CONTACTS, if nothing is said.")
    table: str | None = _said("A table or view, with its schema if need be: sales.customer …")
    query: str | None = _said("… or one SELECT.")
    external_source: str | None = _said("What the system is called whose ids externalId and contactExternalId are.")
    list_id: strawberry.ID | None = _said("Where contacts are put. Who has left it is not brought back.")
    tags: list[str] | None = _said("All contacts are given these.")
    update: bool | None = _said("Change who, or what, is there already: yes, if nothing is said. Else skip it.")
    accepts_marketing: bool | None = _said("You assert that all of them agreed. Else they are UNCONFIRMED on the list.")
    phone_region_from: str | None = _said("The column with the country of the telephone.")
    cursor_column: str | None = _said(
        "A column that grows with every change, such as updated_at or an id: a run reads only what has changed since."
    )
    overlap: int | None = _said("So many seconds (of a number: units) before the mark are read once more; 60.")
    schedule: str | None = _said('When it runs by itself, as cron has it: "0 3 * * *" is every night at three.')
    timezone: str | None = _said("Of the schedule, and of times without an offset; the account's, if nothing is said.")


@strawberry.input(description="A source. What it reads is read only: it needs a user who may SELECT, and no more.")
class CreateSyncSourceInput(SyncSourceFields):
    name: str
    kind: SyncDatabase
    host: str
    database: str
    username: str
    mapping: list[ColumnTargetInput] = strawberry.field(
        description="Of contacts: the targets of imports and externalId. Of orders: externalId, total, occurredAt, "
        "email, contactExternalId, number, status, currency, customerName."
    )


@strawberry.input(description="What is absent stays, null clears. Of another table or cursor everything is read again.")
class UpdateSyncSourceInput(SyncSourceFields):
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    kind: SyncDatabase | None = strawberry.UNSET
    host: str | None = strawberry.UNSET
    database: str | None = strawberry.UNSET
    username: str | None = strawberry.UNSET
    mapping: list[ColumnTargetInput] | None = strawberry.UNSET


@strawberry.input(description="A source that is there, one that is described whole, or one that is there changed so.")
class PreviewSyncInput(SyncSourceFields):
    id: strawberry.ID | None = strawberry.UNSET
    name: str | None = strawberry.UNSET
    kind: SyncDatabase | None = strawberry.UNSET
    host: str | None = strawberry.UNSET
    database: str | None = strawberry.UNSET
    username: str | None = strawberry.UNSET
    mapping: list[ColumnTargetInput] | None = strawberry.UNSET


@strawberry.input(description="A source to forget, with its password and its runs. What it brought stays.")
class DeleteSyncSourceInput:
    id: strawberry.ID


@strawberry.input(description="A source to run now.")
class RunSyncInput:
    id: strawberry.ID
    full: bool | None = _said("Read everything, and not only what has changed.")


def _values(given: Given) -> dict[str, Any]:
    values = given.named(**_NAMES)
    if "listId" in given:
        values["list_id"] = given.id_or_none("listId", "list")
    return values


@strawberry.type
class Query:
    @strawberry.field(description="One source by its id; for admins.")
    async def sync_source(self, info: Info, id: strawberry.ID) -> SyncSource | None:
        admit(info, Role.ADMIN)
        where = Sql("sy.id = {id}::bigint", id=ids.find("sync", id) or 0)
        return await read_one(info._raw_info, where)  # type: ignore[return-value]

    sync_sources = paged(
        SyncSource, keys=BY_NAME, description="All sources, by their names; for admins.", role=Role.ADMIN
    )


@strawberry.type
class Mutation:
    @mutation(
        CreateSyncSourceInput,
        role=Role.ADMIN,
        description="Make a source. Nothing is read before it is run, or its time comes.",
        source=SyncSource,
    )
    async def create_sync_source(given: Given, by: Caller) -> dict:
        return {"source": await sync_sources.create(_values(given), by=by)}

    @mutation(UpdateSyncSourceInput, role=Role.ADMIN, description="Change a source.", source=SyncSource)
    async def update_sync_source(given: Given, by: Caller) -> dict:
        source = given.id("id", "sync")
        await sync_sources.update(source, _values(given), by=by)
        return {"source": source}

    @mutation(DeleteSyncSourceInput, role=Role.ADMIN, description="Forget a source.", source=SyncSource)
    async def delete_sync_source(given: Given, by: Caller) -> dict:
        source = given.id("id", "sync")
        return {"source": source, "afterwards": lambda: sync_sources.delete(source)}

    @mutation(
        PreviewSyncInput,
        role=Role.ADMIN,
        description="What a source would bring; it changes nothing. `rows` are all there are (null: that takes too long"
        " to count); the rest is about the first thousand that a run would read now.",
        asks_others=True,
        columns=JSON,
        rows=int,
        looked_at=int,
        first_rows=JSON,
        new=int,
        existing=int,
        unsubscribed=int,
        bad=int,
        duplicates=int,
        problems=JSON,
    )
    async def preview_sync(given: Given, by: Caller) -> dict:
        found = await syncs.preview(given.id_or_none("id", "sync"), _values(given), by=by)
        return {camel(key): value for key, value in asdict(found).items()}

    @mutation(
        RunSyncInput,
        role=Role.ADMIN,
        description="Bring in what the source has. Who has left a list, or bounced, is not brought back.",
        job=Job,
        run=SyncRun,
    )
    async def run_sync(given: Given, by: Caller) -> dict:
        job, run = await syncs.run(given.id("id", "sync"), full=bool(given.get("full")), by=by)
        return {"job": job, "run": run}
