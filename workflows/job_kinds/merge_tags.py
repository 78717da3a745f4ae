"""Make one tag of several that very many contacts have."""

from __future__ import annotations

from datetime import datetime

from services import vocabulary
from services.job import Job, Kind
from workflows import naming


class MergeTags(Kind):
    """One piece: nobody is to be seen between two tags, or segments would be left and triggers fire."""

    async def plan(self, job: Job) -> None:
        job.total = await vocabulary.tagged(job.parameters["tag_ids"])

    async def piece(self, job: Job, now: datetime) -> bool:
        await naming.merge_tags(job.parameters["tag_ids"], job.parameters["into"], by=job.by.at(now))
        job.count(done=job.total or 0)
        return False
