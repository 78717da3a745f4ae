"""Companies: where contacts work."""

from __future__ import annotations

import strawberry

from kit.sql import Sql
from schema import paging
from schema.access import Role
from schema.mutation import Given, mutation
from schema.paged import searched
from schema.paging import Key
from schema.types.company import Company
from services import companies
from services.caller import Caller

BY_NAME = (Key("name", Sql("lower(co.name)"), "text"), paging.by_id("co"))


@strawberry.input(description="A company has a name that no other has, in any case.")
class CreateCompanyInput:
    name: str


@strawberry.type
class Query:
    companies = searched(
        Company, Sql("co.name"), keys=BY_NAME, description="All companies by name; `search` finds a part of a name."
    )


@strawberry.type
class Mutation:
    @mutation(CreateCompanyInput, role=Role.MEMBER, description="Make a company.", company=Company)
    async def create_company(given: Given, by: Caller) -> dict:
        return {"company": await companies.create(dict(given), by=by)}
