"""Weekly reports of subscribers: owners read them, and say whether they want them by e-mail."""

from __future__ import annotations

import strawberry

from schema import paging
from schema.access import Role
from schema.mutation import Given, mutation
from schema.paged import paged
from schema.types.report import WeeklyReport
from schema.types.user import User
from services import weekly_reports
from services.caller import Caller


@strawberry.input(description="Whether you get the weekly report by e-mail.")
class UpdateReportPreferenceInput:
    weekly_report: bool


@strawberry.type
class Query:
    weekly_reports = paged(
        WeeklyReport,
        keys=(paging.by_id("wr", descending=True),),
        description="The weeks in which the number of subscribers changed, the newest first. For owners.",
        role=Role.OWNER,
    )


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
