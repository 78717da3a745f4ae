"""Uploaded files at work: read from their beginning to their end, the next batch while one is stored."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from kit.ahead import Ahead
from kit.errors import invalid
from services import stored_files, uploads
from services.incoming import Incoming, Reader
from services.sources.csv_file import CsvFile

OPEN_MAX = 4  # files that a worker keeps open between two pieces


@dataclass(slots=True)
class Read:
    """A batch, and the rows it was read from, by their lines."""

    incoming: Incoming
    cells: dict[int, list[str]]


class OpenFile:
    """A file that is being read here. `done` rows are behind the batch that comes next."""

    def __init__(
        self, folder: tempfile.TemporaryDirectory[str], source: CsvFile, reader: Reader, done: int, size: int
    ) -> None:
        self.source = source
        self.done = done
        self._folder = folder
        self._reader = reader
        self._size = size
        self._rows = source.rows(skip=done)
        self._ahead = Ahead(self._read)

    def read_on(self) -> None:
        """There is time to read the next batch."""
        self._ahead.begin()

    def _read(self) -> Read:
        cells: dict[int, list[str]] = {}

        def kept() -> Iterator[tuple[int, list[str]]]:
            for line, row in islice(self._rows, self._size):
                cells[line] = row
                yield line, row

        return Read(self._reader.read(kept()), cells)

    async def next(self, *, read_on: bool = True) -> Read:
        """The next batch. Without `read_on` the caller says when there is time for the one behind it."""
        batch = await self._ahead.take()
        self.done += batch.incoming.rows
        if read_on:
            self.read_on()
        return batch

    async def close(self) -> None:
        await self._ahead.stop()
        self._folder.cleanup()


class OpenFiles:
    """The files of jobs between their pieces, in this process."""

    def __init__(self) -> None:
        self._open: dict[int, OpenFile] = {}

    async def at(
        self, job_id: int, file_id: int, done: int, *, size: int, reader: Callable[[CsvFile], Awaitable[Reader]]
    ) -> OpenFile:
        """The file of the job at its mark. What was read here beyond a batch that did not get stored is read again.

        Refused: NOT_FOUND where the file has been deleted; FILE_INVALID of a broken one.
        """
        opened = self._open.pop(job_id, None)
        if opened is not None and opened.done != done:
            await opened.close()
            opened = None
        if opened is None:
            opened = await _open(file_id, done, size, reader)
        self._open[job_id] = opened
        while len(self._open) > OPEN_MAX:
            await self._open.pop(next(iter(self._open))).close()
        return opened

    async def close(self, job_id: int) -> None:
        opened = self._open.pop(job_id, None)
        if opened is not None:
            await opened.close()


async def _open(file_id: int, done: int, size: int, reader: Callable[[CsvFile], Awaitable[Reader]]) -> OpenFile:
    file = await stored_files.find_kept(file_id)
    if file is None:
        raise invalid("NOT_FOUND", "The file has been deleted.")
    folder = tempfile.TemporaryDirectory(prefix="parcours-")
    try:
        path = Path(folder.name) / "import.csv"
        await uploads.write(file, path)
        source = await asyncio.to_thread(CsvFile, path)
        return OpenFile(folder, source, await reader(source), done, size)
    except BaseException:
        folder.cleanup()
        raise
