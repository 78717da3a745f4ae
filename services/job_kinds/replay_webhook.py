"""Tell a webhook again what happened since an instant."""

from __future__ import annotations

from datetime import datetime

from services import jobs, webhook_replays
from services.job import Job, Kind

PIECE_SIZE = 1_000


class ReplayWebhook(Kind):
    """Facts are found once, at the beginning; a piece of them is a piece of deliveries."""

    async def plan(self, job: Job) -> None:
        begin, end = (datetime.fromisoformat(job.parameters[word]) for word in ("since", "until"))
        facts = webhook_replays.facts(job.parameters["webhookId"], begin, end)
        job.total = await jobs.fix(job.id, facts, size=PIECE_SIZE)

    async def piece(self, job: Job, now: datetime) -> bool:
        ids = await jobs.take(job.id)
        if ids:
            told = await webhook_replays.tell(job.parameters["webhookId"], ids, by=job.by)
            job.count(done=told, unchanged=len(ids) - told)
        return await jobs.left(job.id)
