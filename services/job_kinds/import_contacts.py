"""Take the contacts of an uploaded file in, batch by batch."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from kit import clock
from kit.errors import invalid
from services import import_jobs, imports, refused_rows, stored_files, uploads
from services.import_jobs import ImportJob
from services.incoming import Incoming, Reader
from services.job import Job, Kind
from services.sources.csv_file import CsvFile

OPEN_MAX = 4  # files that a worker keeps open between two pieces


@dataclass(slots=True)
class _Read:
    """A batch, and the rows it was read from, by their lines."""

    incoming: Incoming
    cells: dict[int, list[str]]


class _Opened:
    """A file that is being read here, from its beginning to its end; the next batch is read while one is stored."""

    def __init__(self, folder: tempfile.TemporaryDirectory[str], source: CsvFile, reader: Reader, done: int) -> None:
        self.folder = folder
        self.source = source
        self.done = done  # rows behind the batch that comes next
        self._reader = reader
        self._rows = source.rows(skip=done)
        self._ahead = self._read_ahead()

    def _read_ahead(self) -> asyncio.Future[_Read]:
        return asyncio.ensure_future(asyncio.to_thread(self._read))

    def _read(self) -> _Read:
        cells: dict[int, list[str]] = {}

        def kept() -> Iterator[tuple[int, list[str]]]:
            for line, row in islice(self._rows, imports.BATCH_ROWS):
                cells[line] = row
                yield line, row

        return _Read(self._reader.read(kept()), cells)

    async def next(self) -> _Read:
        batch = await self._ahead
        self.done += batch.incoming.rows
        self._ahead = self._read_ahead()
        return batch

    async def close(self) -> None:
        await asyncio.gather(self._ahead, return_exceptions=True)
        self.folder.cleanup()


class ImportContacts(Kind):
    """What the file says is checked to its last line before the first is taken in. Refused rows become a file."""

    def __init__(self) -> None:
        self._open: dict[int, _Opened] = {}

    async def plan(self, job: Job) -> None:
        found = await import_jobs.get_of_job(job.id)
        opened = await self._opened(job, found)
        job.total = opened.source.rows_total
        await import_jobs.look_through(found, job.total, by=job.by)

    async def piece(self, job: Job, now: datetime) -> bool:
        found = await import_jobs.get_of_job(job.id)
        order = await uploads.order_of(job.parameters)
        opened = await self._opened(job, found)
        batch = await opened.next()
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
        opened = self._open.pop(job.id, None)
        if opened is not None:
            await opened.close()
        found = await import_jobs.get_of_job(job.id)
        await import_jobs.close(found.id, now=await clock.now())
        if "file" in job.mark:
            await stored_files.complete(job.mark["file"], now=now)

    async def _opened(self, job: Job, found: ImportJob) -> _Opened:
        """The file at the mark. What was read here beyond a batch that did not get stored is read again."""
        opened = self._open.pop(job.id, None)
        if opened is not None and opened.done != found.rows_done:
            await opened.close()
            opened = None
        if opened is None:
            opened = await _open(job, found)
        self._open[job.id] = opened
        while len(self._open) > OPEN_MAX:
            await self._open.pop(next(iter(self._open))).close()
        return opened


async def _open(job: Job, found: ImportJob) -> _Opened:
    file = await stored_files.find_kept(job.parameters["file_id"])
    if file is None:
        raise invalid("NOT_FOUND", "The file has been deleted.")
    folder = tempfile.TemporaryDirectory(prefix="parcours-")
    try:
        path = Path(folder.name) / "import.csv"
        await uploads.write(file, path)
        source = await asyncio.to_thread(CsvFile, path)
        reader = await imports.make_reader(found, source, await uploads.order_of(job.parameters))
        return _Opened(folder, source, reader, found.rows_done)
    except BaseException:
        folder.cleanup()
        raise
