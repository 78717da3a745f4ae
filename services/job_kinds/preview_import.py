"""Count what would come of an import, to the last row of its file; nothing is taken in."""

from __future__ import annotations

from datetime import datetime

from kit import tokens
from services import previews, uploads
from services.incoming import Reader
from services.job import Job, Kind
from services.open_files import OpenFiles
from services.sources.csv_file import CsvFile

BATCH_ROWS = 10_000


class PreviewImport(Kind):
    """Reads as the import would. Contacts are counted as they are when the job comes to them."""

    def __init__(self) -> None:
        self._files = OpenFiles()

    async def plan(self, job: Job) -> None:
        opened = await self._files.at(
            job.id, job.parameters["file_id"], 0, size=BATCH_ROWS, reader=lambda source: _reader(job, source)
        )
        job.total = opened.source.rows_total
        job.mark["key"] = tokens.make()
        await previews.begin(job.id, job.total)

    async def piece(self, job: Job, now: datetime) -> bool:
        done = await previews.rows_done(job.id)
        opened = await self._files.at(
            job.id, job.parameters["file_id"], done, size=BATCH_ROWS, reader=lambda source: _reader(job, source)
        )
        batch = (await opened.next()).incoming
        if batch.rows:
            found = await previews.add(job.id, batch, job.parameters["list_id"], key=job.mark["key"].encode())
            job.count(done=batch.rows - found.bad, refused=found.bad)
        return opened.done < opened.source.rows_total

    async def ended(self, job: Job, now: datetime) -> None:
        await self._files.close(job.id)
        await previews.end(job.id)


async def _reader(job: Job, source: CsvFile) -> Reader:
    order = await uploads.order_of(job.parameters)
    return await uploads.reader(source.columns, dict(job.parameters["targets"]), order)
