"""The command that imports contacts from a file, and tells what came of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import place
from cli.place import Data

if TYPE_CHECKING:
    from services.import_jobs import Noted
    from services.imports import Order
    from services.source import Source

app = typer.Typer()

PROBLEMS_SHOWN = 20


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV file in UTF-8.")],
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=TARGET",
            help="What a column becomes: email, phone, first_name, last_name, job_title, company, lifecycle_stage, "
            "country, region, city, postal_code, timezone, tags or field:NAME. Without any --map, columns with usual "
            "names are understood by themselves.",
        ),
    ] = None,
    phone_region_from: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column with the country of the telephone.")
    ] = None,
    lists: Annotated[list[str] | None, typer.Option("--list", help="List to subscribe everybody to.")] = None,
    tags: Annotated[list[str] | None, typer.Option("--tag", help="Tag to give to everybody.")] = None,
    update: Annotated[bool, typer.Option("--update", help="Let the file change contacts that are there.")] = False,
    report: Annotated[Path | None, typer.Option(help="CSV file for everything that could not be taken.")] = None,
    data: Data = None,
) -> None:
    """Import contacts from a CSV file. Killed on its way, the same command goes on where it stopped."""
    from services.imports import Order
    from services.sources.csv_file import CsvFile

    targets = dict(_mapped(given) for given in mapped or [])
    order = Order(targets, tuple(lists or ()), tuple(tags or ()), update, phone_region_from)
    source = CsvFile(file)
    with _report(report) as note:
        place.run(data, lambda: _import(source, order, note))


def _mapped(given: str) -> tuple[str, str]:
    """`COLUMN=TARGET`; the name of a column may have a = in it."""
    column, equals, target = given.rpartition("=")
    if not equals or not column.strip():
        raise typer.BadParameter(f"{given!r} is not COLUMN=TARGET.", param_hint="--map")
    return column.strip(), target.strip()


async def _import(source: Source, order: Order, note: Callable[[Noted], None]) -> None:
    """Import a file that has been looked through, and tell what came of it. `note` is told whatever was wrong."""
    from kit import clock
    from kit.progress import shown
    from services import import_jobs, imports
    from services.caller import system

    began = clock.ticks()
    by = system(await clock.now())
    earlier = await import_jobs.find_finished(order.fingerprint(source))
    job = await imports.prepare(source, order, by=by)
    skipped = job.rows_done
    if skipped:
        typer.echo(f"Going on with import {job.id} behind row {skipped:,}.")
    elif earlier and earlier.finished_at:
        typer.echo(f"This file was imported so before, on {earlier.finished_at:%Y-%m-%d} (import {earlier.id}). Again:")
    if not order.targets:
        guessed = ", ".join(f"{column} = {target}" for column, target in job.targets.items())
        left = ", ".join(column for column in source.columns if column and column not in job.targets)
        typer.echo(f"Columns by their names: {guessed}." + (f" Left out: {left}." if left else ""))
    with shown(source.name, job.rows_total, done=skipped) as show:
        job = await imports.run(
            job,
            source,
            order,
            by=by,
            watch=lambda job: show(job.rows_done, f"{job.created:,} new, {job.refused:,} refused"),
        )
    seconds = clock.ticks() - began
    told = 0
    async for noted in import_jobs.problems(job.id):
        note(noted)
        told += 1
        if told <= PROBLEMS_SHOWN:
            column = f"{noted.column}: " if noted.column else ""
            typer.echo(f"Line {noted.line}, {noted.severity.lower()}: {column}{noted.message}")
    if told > PROBLEMS_SHOWN:
        typer.echo(f"… and {told - PROBLEMS_SHOWN:,} more; --report FILE writes all of them.")
    typer.echo(
        f"{job.rows_done:,} rows: {job.created:,} created, {job.updated:,} updated, {job.unchanged:,} unchanged, "
        f"{job.duplicates:,} duplicates, {job.refused:,} refused."
    )
    typer.echo(
        f"{job.warned:,} with a value left out, {job.not_reactivated:,} not reactivated. "
        f"{seconds:.1f} seconds, {(job.rows_done - skipped) / seconds:,.0f} rows/s."
    )


@contextlib.contextmanager
def _report(path: Path | None) -> Iterator[Callable[[Noted], None]]:
    """Gives what writes a line of the report, a CSV file that no spreadsheet runs; without a path, nothing does."""
    import csv

    from kit.formulas import defused

    if path is None:
        yield lambda noted: None
        return
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Line", "Severity", "Column", "Code", "Message"])
        yield lambda noted: writer.writerow(
            [noted.line, noted.severity, defused(noted.column or ""), noted.code, defused(noted.message)]
        )
