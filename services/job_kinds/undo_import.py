"""Take back what an import alone brought."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services import import_undo, jobs
from services.job import Job, Kind

PIECE_SIZE = 2_000


class UndoImport(Kind):
    """Counted as done: whoever went, or lost anything that the import had given."""

    async def plan(self, job: Job) -> None:
        job.total = await jobs.fix(job.id, await import_undo.touched(job.parameters["import_id"]), size=PIECE_SIZE)

    async def piece(self, job: Job, now: datetime) -> bool:
        contacts, number = await jobs.take(job.id), job.parameters["import_id"]
        by = replace(job.by, source="MANUAL", source_detail="IMPORT")
        gone = await import_undo.delete_created(contacts, number)
        rest = sorted(set(contacts) - gone)
        changed = await import_undo.take_tags(rest, number, by=by)
        changed |= await import_undo.withdraw_memberships(rest, number, by=by)
        changed |= await import_undo.withdraw_consent(rest, number, by=by)
        done = len(gone) + len(changed)
        job.count(done=done, unchanged=len(contacts) - done)
        return await jobs.left(job.id)
