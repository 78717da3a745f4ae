"""Take the contacts of an uploaded file in, batch by batch."""

from __future__ import annotations

from datetime import datetime

from kit import clock
from services import import_jobs, imports, refused_rows, stored_files, uploads
from services.import_jobs import ImportJob
from services.incoming import Reader
from services.job import Job, Kind
from services.open_files import OpenFile, OpenFiles
from services.sources.csv_file import CsvFile


class ImportContacts(Kind):
    """What the file says is checked to its last line before the first is taken in. Refused rows become a file."""

    def __init__(self) -> None:
        self._files = OpenFiles()

    async def plan(self, job: Job) -> None:
        found = await import_jobs.get_of_job(job.id)
        opened = await self._opened(job, found)
        job.total = opened.source.rows_total
        await import_jobs.look_through(found, job.total, by=job.by)

    async def piece(self, job: Job, now: datetime) -> bool:
        found = await import_jobs.get_of_job(job.id)
        order = await uploads.order_of(job.parameters)
        opened = await self._opened(job, found)
        batch = await opened.next(read_on=False)
        batch.incoming.copied = opened.read_on
        if batch.incoming.rows:
            lists = [("the list", number) for number in job.parameters["list_ids"]]
            by = imports.importer(found, order, by=job.by.at(now))
            after = await imports.take_over(found, batch.incoming, order, lists, by=by)
            job.count(
                done=after.created + after.updated - found.created - found.updated,
                unchanged=after.unchanged + after.duplicates - found.unchanged - found.duplicates,
                refused=after.refused - found.refused,
            )
            await refused_rows.tell(job, found, opened.source.columns, batch.cells)
            found = after
        return found.rows_done < found.rows_total

    async def ended(self, job: Job, now: datetime) -> None:
        await self._files.close(job.id)
        found = await import_jobs.get_of_job(job.id)
        await import_jobs.close(found.id, now=await clock.now())
        if "file" in job.mark:
            await stored_files.complete(job.mark["file"], now=now)

    async def _opened(self, job: Job, found: ImportJob) -> OpenFile:
        async def reader(source: CsvFile) -> Reader:
            return await imports.make_reader(found, source, await uploads.order_of(job.parameters))

        return await self._files.at(
            job.id, job.parameters["file_id"], found.rows_done, size=imports.BATCH_ROWS, reader=reader
        )
