"""Exclusions: to whom no e-mail goes."""

from __future__ import annotations

import strawberry

from kit.sql import Sql
from schema import paging
from schema.access import Role
from schema.enums.lists import ExclusionKind
from schema.mutation import Given, mutation
from schema.paged import searched
from schema.types.exclusion import Exclusion
from services import exclusions
from services.caller import Caller

NEWEST_FIRST = (paging.by_id("ex", descending=True),)


@strawberry.input(description="No e-mail goes to such addresses. How they stand on lists stays as it is.")
class CreateExclusionInput:
    kind: ExclusionKind
    value: str = strawberry.field(description="An address, or how addresses begin or end: @bad.test for a domain.")
    list_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="Whose e-mail it stops; without any, all e-mail."
    )
    reason: str | None = strawberry.UNSET


@strawberry.input(description="E-mail goes to these addresses again.")
class DeleteExclusionInput:
    id: strawberry.ID


@strawberry.type
class Query:
    exclusions = searched(
        Exclusion,
        Sql("ex.value"),
        keys=NEWEST_FIRST,
        description="All exclusions, the newest first; `search` finds a part of their value.",
    )


@strawberry.type
class Mutation:
    @mutation(
        CreateExclusionInput,
        role=Role.ADMIN,
        description="Stop e-mail to an address or a group of addresses. Warns of what hits more than it seems.",
        warns=True,
        exclusion=Exclusion,
    )
    async def create_exclusion(given: Given, by: Caller) -> dict:
        values = given.named(kind="kind", value="value", reason="reason")
        values["list_ids"] = given.places("listIds", "list") if given.get("listIds") else []
        exclusion, warnings = await exclusions.create(values, by=by)
        return {"exclusion": exclusion, "warnings": warnings}

    @mutation(DeleteExclusionInput, role=Role.ADMIN, description="Take an exclusion away.", exclusion=Exclusion)
    async def delete_exclusion(given: Given, by: Caller) -> dict:
        exclusion = given.id("id", "exclusion")
        # The answer shows it as it was, so it is made first.
        return {"exclusion": exclusion, "afterwards": lambda: exclusions.delete(exclusion, by=by)}
