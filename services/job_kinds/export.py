"""Make a CSV file of contacts, a list, a segment, tasks or runs."""

from __future__ import annotations

import csv
import io
from datetime import datetime

from kit import db
from kit.formulas import defused
from services import exports, jobs, stored_files
from services.export_columns import FIELD
from services.job import Job, Kind

PIECE_SIZE = 20_000
COPY_SECONDS_MAX = 120
BOM = "\ufeff"


class Export(Kind):
    """PostgreSQL writes the lines; a piece of them is a piece of the file, so that memory stays flat."""

    async def plan(self, job: Job) -> None:
        job.total = await jobs.fix(job.id, await exports.rows(job.parameters, by=job.by), size=PIECE_SIZE)
        name = f"{job.parameters['what'].lower()}-{job.by.now:%Y-%m-%d}.csv"
        job.mark["file"] = await stored_files.begin(name, by=job.by, job_id=job.id)
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(
            [defused(column.removeprefix(FIELD)) for column in job.parameters["columns"]]
        )
        begin = BOM if job.parameters["bom"] else ""
        await stored_files.append(job.mark["file"], (begin + line.getvalue()).encode())

    async def piece(self, job: Job, now: datetime) -> bool:
        ids = await jobs.take(job.id)
        if ids:
            query, parameters = (await exports.cells(job.parameters, ids)).render()
            written: list[bytes] = []

            async def write(data: bytes) -> None:
                written.append(data)

            async with db.raw() as connection:
                told = await connection.copy_from_query(
                    query, *parameters, output=write, format="csv", timeout=COPY_SECONDS_MAX
                )
            await stored_files.append(job.mark["file"], b"".join(written))
            there = int(told.split()[-1])
            job.count(done=there, refused=len(ids) - there)  # who was deleted meanwhile
        if await jobs.left(job.id):
            return True
        await stored_files.complete(job.mark["file"], now=now)
        return False
