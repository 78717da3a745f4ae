"""The rows that could not be taken in, as they came, each with its line and the reason, in a file for download."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from kit.formulas import defused
from services import import_jobs, stored_files
from services.import_jobs import ImportJob
from services.job import Job


async def tell(job: Job, found: ImportJob, columns: Sequence[str], cells: Mapping[int, Sequence[str]]) -> None:
    """Add what was refused of a batch, whose rows are here by their lines; the job's mark knows the file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if "file" not in job.mark:
        writer.writerow(["Line", "Code", "Reason", *map(defused, columns)])
    refused = await import_jobs.refused_between(found.id, min(cells), max(cells))
    for noted in refused:
        writer.writerow([noted.line, noted.code, noted.message, *map(defused, cells[noted.line])])
    if not refused:
        return
    if "file" not in job.mark:
        name = found.name if found.name.endswith(".csv") else f"{found.name}.csv"
        job.mark["file"] = await stored_files.begin(f"refused-{name}", by=job.by, job_id=job.id)
    await stored_files.append(job.mark["file"], text.getvalue().encode())
