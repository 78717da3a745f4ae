"""Companies: where contacts work."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit.sql import TRUE, Sql
from schema import paging
from schema.access import Role, reader
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.paging import Key
from schema.projection.read import read_connection
from schema.search import containing
from schema.types.company import Company
from services import companies
from services.caller import Caller

BY_NAME = (Key("name", Sql("lower(co.name)"), "text"), paging.by_id("co"))


@strawberry.input(description="A company has a name that no other has, in any case.")
class CreateCompanyInput:
    name: str


@strawberry.type
class Query:
    @strawberry.field(description="All companies by name; `search` finds a part of a name.")
    async def companies(
        self,
        info: Info,
        search: str | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Company]:
        reader(info)
        where = containing(search, Sql("co.name")) if search else TRUE
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, where, keys=BY_NAME, page=page)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(CreateCompanyInput, role=Role.MEMBER, description="Make a company.", company=Company)
    async def create_company(given: Given, by: Caller) -> dict:
        return {"company": await companies.create(dict(given), by=by)}
