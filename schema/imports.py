"""Imports: contacts from an uploaded CSV file, looked at before, taken back after."""

from __future__ import annotations

from dataclasses import asdict

import strawberry

from kit.shape import camel
from kit.sql import TRUE, Sql
from schema import paging
from schema.access import Role
from schema.mutation import Given, mutation
from schema.paged import paged
from schema.scalars import JSON
from schema.types.contact_import import Import
from schema.types.job import Job
from services import import_undo, uploads
from services.caller import Caller

_NAMES = {
    "createList": "create_list",
    "tags": "tags",
    "update": "update",
    "phoneRegionFrom": "phone_region_from",
    "acceptsMarketing": "accepts_marketing",
}


@strawberry.input(description="What a column becomes.")
class ColumnTargetInput:
    column: str
    target: str = strawberry.field(
        description="email, phone, firstName, lastName, jobTitle, company, lifecycleStage, country, region, city,"
        " postalCode, timezone, tags or field:NAME."
    )


@strawberry.input
class ImportFields:
    file_id: strawberry.ID = strawberry.field(description="Of the file that was sent to POST /files.")
    mapping: list[ColumnTargetInput] | None = strawberry.field(
        default=strawberry.UNSET, description="Without any, columns with usual names are understood by themselves."
    )
    list_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="Where all are put …")
    create_list: str | None = strawberry.field(default=strawberry.UNSET, description="… or the name of a new list.")
    tags: list[str] | None = strawberry.field(default=strawberry.UNSET, description="All are given these.")
    update: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Let the file change contacts that are there. False, if nothing is said."
    )
    phone_region_from: str | None = strawberry.field(
        default=strawberry.UNSET, description="The column with the country of the telephone."
    )


@strawberry.input(description="An import that is not done, but looked at.")
class PreviewImportInput(ImportFields):
    accepts_marketing: bool | None = strawberry.UNSET


@strawberry.input(description="An import of an uploaded file.")
class StartImportInput(ImportFields):
    accepts_marketing: bool = strawberry.field(
        description="True: you assert that everybody in the file agreed to marketing, which is kept. False: nobody can"
        " say so, and they are UNCONFIRMED on the list."
    )


@strawberry.input(description="An import to take back, within a day of its end.")
class UndoImportInput:
    id: strawberry.ID


def _values(given: Given) -> dict:
    values = given.named(**_NAMES)
    values["file_id"] = given.id("fileId", "file")
    values["list_id"] = given.id_or_none("listId", "list")
    values["targets"] = {each["column"]: each["target"] for each in given.get("mapping") or []}
    return values


def _own(by: Caller) -> Sql:
    own = TRUE if by.role >= Role.ADMIN else Sql("j.user_id = {user}::bigint", user=by.user_id)
    return Sql("({own} AND j.sync_id IS NULL)", own=own)


@strawberry.type
class Query:
    imports = paged(
        Import,
        keys=(paging.by_id("j", descending=True),),
        description="One's own imports, for admins everybody's; the newest first.",
        where=_own,
    )


@strawberry.type
class Mutation:
    @mutation(
        PreviewImportInput,
        role=Role.ADMIN,
        description="What an import would do; it changes nothing. Up to 20,000 rows are looked at, of a longer file the"
        " first ones: `complete` says whether that was all. If not, `job { preview { … } }` counts the whole file.",
        rows=int,
        new=int,
        existing=int,
        unsubscribed=int,
        bad=int,
        duplicates=int,
        complete=bool,
        columns=JSON,
        problems=JSON,
        job=Job,
    )
    async def preview_import(given: Given, by: Caller) -> dict:
        found = await uploads.preview(_values(given), by=by)
        return {camel(key): value for key, value in asdict(found).items()}

    @mutation(
        StartImportInput,
        role=Role.ADMIN,
        description="Take the contacts of an uploaded file in. Who has left a list is not brought back.",
        job=Job,
        contact_import=Import,
    )
    async def start_import(given: Given, by: Caller) -> dict:
        job, made = await uploads.start(_values(given), by=by)
        return {"job": job, "contactImport": made}

    @mutation(
        UndoImportInput,
        role=Role.ADMIN,
        description="Take back what an import alone brought: contacts that nobody has touched since, tags, memberships."
        " Values that it changed stay.",
        job=Job,
    )
    async def undo_import(given: Given, by: Caller) -> dict:
        return {"job": await import_undo.start(given.id("id", "import"), by=by)}
