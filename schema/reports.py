"""Weekly reports of subscribers: owners read them, and say whether they want them by e-mail."""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from kit.sql import TRUE
from schema import paging
from schema.access import Role, admit
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.projection.read import read_connection
from schema.types.report import WeeklyReport
from schema.types.user import User
from services import weekly_reports
from services.caller import Caller


@strawberry.input(description="Whether you get the weekly report by e-mail.")
class UpdateReportPreferenceInput:
    weekly_report: bool


@strawberry.type
class Query:
    @strawberry.field(description="The weeks in which the number of subscribers changed, the newest first. For owners.")
    async def weekly_reports(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[WeeklyReport]:
        admit(info, Role.OWNER)
        keys = (paging.by_id("wr", descending=True),)
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, TRUE, keys=keys, page=page)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(
        UpdateReportPreferenceInput,
        role=Role.OWNER,
        description="Get the weekly report by e-mail, or not; it is in the API anyway.",
        user=User,
    )
    async def update_report_preference(given: Given, by: Caller) -> dict:
        await weekly_reports.prefer(given["weeklyReport"], by=by)
        return {"user": by.user_id}
