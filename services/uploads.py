"""Imports of uploaded files: what would come of one, and the job that does it (SQ5)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from kit import db, text
from kit.card import Reference
from kit.errors import Problem, Problems, Refused
from kit.sql import Sql
from services import fields, import_jobs, imports, jobs, lists, mapping, memberships, previews, stored_files, tags
from services.caller import Caller
from services.fields import Field
from services.imports import Order
from services.incoming import Reader
from services.mapping import FIELD, Targets
from services.references import unknown
from services.sources.csv_file import CsvFile, columns_of
from services.stored_files import StoredFile

KIND = "import_contacts"
PREVIEW = "preview_import"
PREVIEW_ROWS_MAX = 20_000
PREVIEW_BYTES_MAX = 20_000_000
SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come of an import; `complete` when the whole file was looked at, else its beginning.

    Then a `job` looks through the whole of it (`services/previews.py` has what it counts).
    """

    rows: int
    new: int
    existing: int
    unsubscribed: int
    bad: int
    duplicates: int
    complete: bool
    columns: list[dict[str, Any]]
    problems: list[dict[str, Any]]
    job: int | None = None


async def start(values: Mapping[str, Any], *, by: Caller) -> tuple[int, int]:
    """Begin the import of an uploaded file; the ids of the job and of the import.

    `values`: `file_id`; `targets` {column: target} (without any, columns with usual names are understood);
    `list_id` or `create_list` (a name); `tags`; `update`; `phone_region_from`; `accepts_marketing`, which must be
    said. Fields that are named and not there are made.

    Refused, with nothing stored: NOT_FOUND, what is no CSV (FILE_INVALID), what `mapping.read` refuses, an unknown
    list, a name that a list cannot have. What is wrong further down in the file ends the job as FAILED, before its
    first row is taken in.
    """
    async with db.transaction():
        _, targets, order = await _read(values, by)
        await imports.make_fields(targets, {found.name.lower() for found in await fields.find_all()}, by=by)
        list_ids = [values["list_id"]] if values.get("list_id") is not None else []
        if values.get("create_list"):
            list_ids = [await _make_list(values["create_list"], by)]
        if order.tags:
            await tags.ensure(order.tags, by=by)
        file = await stored_files.get_own(values["file_id"], by=by)
        job_id = await jobs.begin(KIND, _asked(file, order) | {"list_ids": list_ids}, by=by)
        # Each is an import of its own, also of the same file.
        made = await import_jobs.create(file.name, sha256(b"job:%d" % job_id).digest(), targets, 0, by=by)
        await import_jobs.belongs_to(made.id, job_id)
        return job_id, made.id


async def preview(values: Mapping[str, Any], *, by: Caller) -> Preview:
    """What an import of the file with these `values` (as in `start`) would do, without doing it.

    Up to 20,000 rows are looked at now; of a longer file the first ones, and a job goes through all of them. Refused
    as `start`, also what is wrong further down in these rows.
    """
    columns, targets, order = await _read(values, by, guessing=True)
    file = await stored_files.get_own(values["file_id"], by=by)
    with tempfile.TemporaryDirectory(prefix="parcours-") as folder:
        path = Path(folder) / "preview.csv"
        whole = await write(file, path, bytes_max=PREVIEW_BYTES_MAX)
        with _about_the_file():
            source = await asyncio.to_thread(CsvFile, path)
            head = list(islice(source.rows(), SAMPLES))
        shown = [
            {
                "column": column,
                "target": mapping.spelled(targets[column]) if column in targets else None,
                "samples": [cells[place] for _, cells in head if place < len(cells) and cells[place]],
            }
            for place, column in enumerate(columns)
        ]
        if not any(target in mapping.IDENTIFIERS for target in targets.values()):
            return Preview(source.rows_total, 0, 0, 0, 0, 0, False, shown, [_without_identifier()])
        reads = await reader(columns, targets, order)
        with _about_the_file():
            batch = await asyncio.to_thread(lambda: reads.read(islice(source.rows(), PREVIEW_ROWS_MAX)))
        found = await previews.count(batch, values.get("list_id"))
        complete = whole and batch.rows == source.rows_total
        job = None
        if not complete:
            asked = _asked(file, order) | {"targets": list(targets.items()), "list_id": values.get("list_id")}
            job = await jobs.begin(PREVIEW, asked, by=by)
        return Preview(
            rows=source.rows_total,
            new=found.new,
            existing=found.existing,
            unsubscribed=found.unsubscribed,
            bad=found.bad,
            duplicates=found.duplicates,
            complete=complete,
            columns=shown,
            problems=found.problems,
            job=job,
        )


async def write(file: StoredFile, path: Path, *, bytes_max: int | None = None) -> bool:
    """Write a file, or its beginning up to the end of a line, where it can be read; whether it is whole."""
    size = 0
    with await asyncio.to_thread(path.open, "wb") as out:
        async for chunk in stored_files.content(file):
            size += len(chunk)
            if bytes_max is not None and size > bytes_max:
                out.write(chunk[: chunk.rfind(b"\n") + 1])
                return False
            out.write(chunk)
    return True


def _asked(file: StoredFile, order: Order) -> dict[str, Any]:
    """What the job of a file has to know; `order_of` reads it."""
    return {
        "file_id": file.id,
        "tags": list(order.tags),
        "update": order.update,
        "region_column": order.region_column,
        "accepts_marketing": order.accepts_marketing,
    }


async def order_of(parameters: Mapping[str, Any]) -> Order:
    """How the job's file is to be read."""
    return Order(
        tags=tuple(parameters["tags"]),
        update=parameters["update"],
        region_column=parameters["region_column"],
        accepts_marketing=parameters["accepts_marketing"],
    )


async def _read(
    values: Mapping[str, Any], by: Caller, *, guessing: bool = False
) -> tuple[tuple[str, ...], Targets, Order]:
    """What is asked for, every fault at once; with `guessing` columns need not say who somebody is yet."""
    file = await stored_files.get_own(values["file_id"], by=by)
    with _about_the_file():
        columns = columns_of(await stored_files.beginning(file))
    problems = Problems()
    targets: Targets = {}
    try:
        if values.get("targets"):
            targets = mapping.read(columns, values["targets"])
        else:
            targets = mapping.guess(columns, await fields.find_all(), required=not guessing)
    except Refused as refusal:
        problems.extend(Problem(each.code, each.message, ("mapping", *each.path[1:])) for each in refusal.problems)
    region = values.get("phone_region_from")
    try:
        region = imports.region_column(columns, region)
    except Refused as refusal:
        problems.extend(refusal.problems)
    if values.get("list_id") is not None and values.get("create_list"):
        problems.add("INVALID_VALUE", "Choose a list or have one made, not both.", "createList")
    elif values.get("create_list"):
        if await lists.find_by_name(text.clean(values["create_list"])) is not None:
            problems.extend([lists.NAME_TAKEN], "createList")
    elif values.get("list_id") is not None:
        problems.extend(await unknown([Reference("list", values["list_id"], ("listId",))]))
        if await lists.is_smart(values["list_id"]):
            problems.add(memberships.LIST_IS_SMART, "Who is on this list follows from its rule.", "listId")
    names = tags.read_names(values.get("tags") or [], problems, "tags")
    problems.refuse()
    return (
        columns,
        targets,
        Order(
            tags=tuple(names),
            update=bool(values.get("update")),
            region_column=region,
            accepts_marketing=bool(values.get("accepts_marketing")),
        ),
    )


async def _make_list(name: str, by: Caller) -> int:
    try:
        return await lists.create(name, by=by)
    except Refused as refused:
        raise type(refused)(*(Problem(each.code, each.message, ("createList",)) for each in refused.problems)) from None


@contextmanager
def _about_the_file() -> Iterator[None]:
    """What is wrong inside it is told beside the file."""
    try:
        yield
    except Refused as refused:
        raise refused.below("fileId") from None


def _without_identifier() -> dict[str, Any]:
    message = "Say which column holds the e-mail address or the telephone."
    return {"line": 1, "severity": "REFUSED", "column": None, "code": "IDENTIFIER_REQUIRED", "message": message}


async def reader(columns: Sequence[str], targets: Targets, order: Order) -> Reader:
    """Reads as the import would; fields that it would make hold texts."""
    known = {found.name.lower(): found for found in await fields.find_all()}
    named = [target.removeprefix(FIELD) for target in targets.values() if target.startswith(FIELD)]
    for place, name in enumerate(named):
        known.setdefault(name.lower(), Field(-1 - place, name, name, "TEXT"))
    return Reader(
        columns,
        targets,
        known.values(),
        region_column=order.region_column,
        default_country=await db.value(Sql("SELECT account.default_country FROM account")),
        tags=order.tags,
        update=order.update,
    )
