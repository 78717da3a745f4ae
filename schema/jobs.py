"""Jobs: see long work move on, and call it off."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import strawberry
from strawberry.types import Info

from kit import ids
from kit.errors import not_found
from kit.sql import Sql, all_of
from schema import paging
from schema.access import Role, reader
from schema.enums.jobs import JobState
from schema.mutation import Given, mutation
from schema.node import Connection
from schema.projection.read import read_connection, read_one
from schema.types.job import Job, JobKind
from services import jobs
from services.caller import Caller


@strawberry.input(description="A job to call off. What it has done stays done.")
class CancelJobInput:
    id: strawberry.ID


def _one(number: int, by: Caller) -> Sql:
    return Sql("jb.id = {id}::bigint AND {mine}", id=number, mine=jobs.visible(by))


@strawberry.type
class Query:
    @strawberry.field(description="One job by its id; one's own, for admins everybody's.")
    async def job(self, info: Info, id: strawberry.ID) -> Job | None:
        by = reader(info)
        return await read_one(info._raw_info, _one(ids.find("job", id) or 0, by))  # type: ignore[return-value]

    @strawberry.field(description="One's own jobs, for admins everybody's; the newest first.")
    async def jobs(
        self,
        info: Info,
        kind: JobKind | None = None,
        state: JobState | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Job]:
        where = [jobs.visible(reader(info))]
        if kind is not None:
            where.append(Sql("jb.kind = {kind}::text", kind=kind.value.lower()))
        if state is not None:
            where.append(Sql("jb.state = {state}::text", state=state.value))
        keys = (paging.by_id("jb", descending=True),)
        page = paging.page(first, after, last, before)
        return await read_connection(info._raw_info, all_of(where), keys=keys, page=page)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @mutation(CancelJobInput, role=Role.VIEWER, description="Call off a job: one's own, for admins any.", job=Job)
    async def cancel_job(given: Given, by: Caller) -> dict:
        job = given.id("id", "job")
        await jobs.cancel(job, by=by)
        return {"job": job}


@strawberry.type
class Subscription:
    @strawberry.subscription(description="The job, now and each time it moves, until it has come to its end.")
    async def job_changed(self, info: Info, job_id: strawberry.ID) -> AsyncGenerator[Job, None]:
        by = reader(info)
        job = ids.take("job", job_id, "jobId")
        if not await jobs.is_visible(job, by=by):
            raise not_found("job", "jobId")
        async for _ in info.context.live.jobs(job):
            ended = await jobs.has_ended(job)
            found = await read_one(info._raw_info, _one(job, by))
            if found is not None:
                yield found
            if found is None or ended:
                return
