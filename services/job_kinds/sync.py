"""Bring contacts or orders of another database in: read there in one go, taken in here batch by batch."""

from __future__ import annotations

from datetime import datetime

from kit import db
from services import (
    import_jobs,
    imports,
    refused_rows,
    stored_files,
    sync_batches,
    sync_intake,
    sync_reading,
    sync_sources,
)
from services.import_jobs import ImportJob
from services.job import Job, Kind
from services.sync_reading import Columns, Reading
from services.sync_sources import SyncSource

READ_SECONDS_MAX = 300  # of the statement there, from one batch to the next


class Sync(Kind):
    """The first piece reads, so that the other database is asked once and for one moment; each other takes a batch in.

    The mark of the source moves with the last piece: whatever goes wrong before, the next run reads the same again.
    """

    elsewhere = True

    async def piece(self, job: Job, now: datetime) -> bool:
        run = await import_jobs.get_of_job(job.id)
        source = await sync_sources.get(job.parameters["sync_id"])
        if "told" not in job.mark:
            await self._read(job, run, source)
        else:
            await self._take(job, run, source, now)
        if await sync_batches.is_left(run.id):
            return True
        await sync_sources.move_mark(source.id)
        return False

    async def ended(self, job: Job, now: datetime) -> None:
        run = await import_jobs.get_of_job(job.id)
        await sync_batches.forget(run.id)
        await import_jobs.close(run.id, now=now)
        if "file" in job.mark:
            await stored_files.complete(job.mark["file"], now=now)

    async def _read(self, job: Job, run: ImportJob, source: SyncSource) -> None:
        # While another database thinks, ours must not take this transaction for a forgotten one.
        await db.be_patient(idle_seconds=READ_SECONDS_MAX * 2)
        kind, rows, number = sync_reading.kind_of(source), 0, 0
        async with kind.session(source.address, seconds=READ_SECONDS_MAX) as session:
            columns = await sync_reading.look(session, kind, source)
            reading = Reading(source, columns, since=None if job.parameters["full"] else source.mark)
            async for texts in reading.batches(session, kind, size=imports.BATCH_ROWS):
                number, rows = number + 1, rows + len(texts)
                await sync_batches.keep(run.id, number, texts)
        job.total = rows
        job.mark |= {"told": columns.told, "targets": columns.targets, "region": columns.region}
        await import_jobs.look_through(run, rows, by=job.by)
        await sync_sources.keep_mark(source.id, reading.mark)

    async def _take(self, job: Job, run: ImportJob, source: SyncSource, now: datetime) -> None:
        mark, texts = job.mark, await sync_batches.take(run.id)
        by = sync_intake.acting(source, by=job.by.at(now))
        columns = Columns((), tuple(mark["told"]), mark["targets"], mark["region"], None)
        after = await sync_intake.take(run, source, columns, texts, by=by)
        job.count(
            done=after.created + after.updated - run.created - run.updated,
            unchanged=after.unchanged + after.duplicates - run.unchanged - run.duplicates,
            refused=after.refused - run.refused,
        )
        await refused_rows.tell(job, run, mark["told"], dict(enumerate(texts, start=run.rows_done + 1)))
