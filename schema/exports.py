"""Exports: a CSV file, made by a job."""

from __future__ import annotations

import strawberry

from kit.errors import invalid
from kit.sql import Sql, all_of
from schema import paging
from schema.access import Role
from schema.cards import ConditionInput
from schema.enums.jobs import ExportKind
from schema.mutation import Given, mutation
from schema.paged import paged
from schema.types.job import Job
from services import exports, jobs
from services.caller import Caller

_SUBJECTS = {"LIST": "list", "SEGMENT": "segment", "RUNS": "automation"}


@strawberry.input(
    description="What is to be exported. The file is kept for a day; cells that a spreadsheet would run as formulas "
    "begin with an apostrophe."
)
class StartExportInput:
    what: ExportKind
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Which list or segment; which automation's runs (without it, all)."
    )
    where: ConditionInput | None = strawberry.field(default=strawberry.UNSET, description="Which contacts.")
    columns: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="In this order; also names of custom fields. Without any: what is usual, of a segment the e-mail"
        " address alone.",
    )
    bom: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Begin with a byte order mark, for Excel."
    )


def _own(by: Caller) -> Sql:
    return all_of([jobs.visible(by), Sql("jb.kind = {kind}", kind=exports.KIND)])


@strawberry.type
class Query:
    exports = paged(
        Job,
        keys=(paging.by_id("jb", descending=True),),
        description="One's own exports, for admins everybody's; the newest first.",
        where=_own,
    )


@strawberry.type
class Mutation:
    @mutation(StartExportInput, role=Role.ADMIN, description="Make a CSV file for download.", job=Job)
    async def start_export(given: Given, by: Caller) -> dict:
        values = given.named(what="what", where="where", columns="columns", bom="bom")
        kind = _SUBJECTS.get(values["what"])
        if given.get("id") is not None:
            if kind is None:
                words = "Lists, segments and runs have an id; contacts are chosen by `where`."
                raise invalid("INVALID_VALUE", words, "id")
            values["id"] = given.id("id", kind)
        return {"job": await exports.start(values, by=by)}
