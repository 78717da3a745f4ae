"""The `parcours` command: run the server, its parts, and what an operator does from a terminal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kit.config import Settings
    from kit.datafolder import Addresses, DataFolder
    from kit.db import Server
    from services.import_jobs import Noted
    from services.imports import Order
    from services.source import Source

# Libraries are imported where they are needed, so that `parcours --help` is there at once.

app = typer.Typer(
    help="Parcours: contacts and the ways they take.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
token = typer.Typer(help="Tokens for the API.", no_args_is_help=True)
app.add_typer(token, name="token")

PROBLEMS_SHOWN = 20

Data = Annotated[Path | None, typer.Option(help="Folder of the data (else PARCOURS_DATA, else .data).")]
Host = Annotated[str | None, typer.Option(help="Address to listen on (else PARCOURS_HOST, else 127.0.0.1).")]
Port = Annotated[int | None, typer.Option(help="Port to listen on (else PARCOURS_PORT, else 8000).")]


@app.command()
def up(data: Data = None, host: Host = None, port: Port = None) -> None:
    """Run everything: PostgreSQL, Valkey, the web server and the workers. One Ctrl-C stops it."""
    from kit import up as everything
    from kit.datafolder import DataFolder

    settings = _settings(data=data, host=host, port=port)
    folder = DataFolder(settings.data)

    def prepare(addresses: Addresses) -> None:
        asyncio.run(_prepare(settings, _server(addresses), folder))

    def announce(address: str) -> None:
        typer.echo(f"\nParcours is ready: {address}/graphql")
        if secret := folder.owner_token:
            typer.echo(f"GraphiQL, signed in: {address}/graphql#token={secret}")
            typer.echo(f"Owner's token:       {secret}")
        else:
            typer.echo("Make a token with: parcours token create NAME")
        typer.echo("Stop with Ctrl-C.\n")

    everything.run(settings, prepare, announce)


@app.command()
def serve(data: Data = None, host: Host = None, port: Port = None) -> None:
    """Run the web server alone: on DATABASE_URL and REDIS_URL, or beside a running `parcours up`."""
    settings = _settings(data=data, host=host, port=port)
    addresses = _addresses(settings)
    if settings.owner_token is not None:
        asyncio.run(_with_pool(_server(addresses), lambda: _ensure_owner(settings)))
    _become("web", settings, addresses)


@app.command()
def worker(data: Data = None) -> None:
    """Run one worker alone: on DATABASE_URL and REDIS_URL, or beside a running `parcours up`."""
    settings = _settings(data=data)
    _become("workers", settings, _addresses(settings))


@app.command()
def migrate(data: Data = None) -> None:
    """Bring the database to the newest shape of its tables. Harmless at any time, from any number of processes."""
    settings = _settings(data=data)
    with _database(settings) as server:
        if settings.database_url is not None:
            asyncio.run(_prepare(settings, server, None))
    typer.echo("The database is up to date.")


@app.command()
def schema() -> None:
    """Print the GraphQL schema."""
    from schema import schema as graphql

    typer.echo(graphql.as_str())


@app.command("webhook-secret")
def webhook_secret(data: Data = None) -> None:
    """Print what receivers of webhooks check signatures with, where PARCOURS_WEBHOOK_SECRET is not set."""
    from services import mail_links
    from services.channels import webhook

    typer.echo(webhook.shown(_run(data, mail_links.secret)))


@token.command("create")
def token_create(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    user: Annotated[str | None, typer.Option(help="E-mail address of the user it acts for (else the owner).")] = None,
    data: Data = None,
) -> None:
    """Make a token for the API and print it. It is shown this once."""
    from services import tokens, users
    from services.caller import system

    async def create() -> str:
        from kit import clock

        found = await users.find(user)
        _, secret = await tokens.create(found, name, by=system(await clock.now()))
        return secret

    typer.echo(_run(data, create))


@token.command("list")
def token_list(data: Data = None) -> None:
    """Show the tokens there are: number, beginning, name, user."""
    from services import tokens

    for row in _run(data, tokens.find_all):
        typer.echo("  ".join(str(value) for value in row.values()))


@token.command("revoke")
def token_revoke(number: Annotated[int, typer.Argument(help="As `token list` shows it.")], data: Data = None) -> None:
    """End a token at once."""
    from services import tokens
    from services.caller import system

    async def revoke() -> None:
        from kit import clock

        await tokens.revoke(number, by=system(await clock.now()))

    _run(data, revoke)
    typer.echo("The token is revoked.")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV file in UTF-8.")],
    mapped: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=TARGET",
            help="What a column becomes: email, phone, first_name, last_name, job_title, company, lifecycle_stage, "
            "tags or field:NAME. Without any --map, columns with usual names are understood by themselves.",
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
        _run(data, lambda: _import(source, order, note))


@app.command()
def doctor(data: Data = None) -> None:
    """Count on the database what must never be: gaps in paths, counts that are off, runs that hang. Changes nothing."""
    from workflows.doctor import Finding

    async def examine() -> list[Finding]:
        from kit import clock
        from workflows import doctor as practice

        return await practice.examine(await clock.now())

    findings = _run(data, examine)
    for each in findings:
        told = "not counted" if each.violations is None else str(each.violations)
        typer.echo(f"{told:>11}  {each.check.name:<24} {each.check.description}")
        for sample in each.samples:
            typer.echo(f"{'':>11}  {'':<24} {sample}")
    if any(each.violations != 0 for each in findings):
        raise typer.Exit(1)
    typer.echo("All is well.")


@app.command()
def clock(
    days: Annotated[int, typer.Option(min=0, max=3_660)] = 0,
    hours: Annotated[int, typer.Option(min=0)] = 0,
    minutes: Annotated[int, typer.Option(min=0)] = 0,
    data: Data = None,
) -> None:
    """Put the server's clock forward, to see what comes of it. In test mode alone, and for good."""
    from datetime import timedelta

    from kit import clock
    from services import account

    async def forward() -> str:
        await account.put_clock_forward(timedelta(days=days, hours=hours, minutes=minutes))
        return f"{await clock.now():%Y-%m-%d %H:%M:%S %Z}"

    typer.echo(f"It is {_run(data, forward)} now.")


@app.command()
def demo(data: Data = None) -> None:
    """Fill an empty server with believable contacts, lists, tags and a running automation."""

    async def fill() -> dict[str, int]:
        from kit import clock
        from workflows import demo as month

        return await month.fill(await clock.now())

    made = _run(data, fill)
    typer.echo("Made " + ", ".join(f"{number} {what}" for what, number in made.items()) + ".")


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


def _settings(**given: Any) -> Settings:
    """The settings, with what was given on the command line. Children get both through their environment."""
    from kit import config

    for name, value in given.items():
        if value is not None:
            config.override(name, value)
    return config.settings()


def _server(addresses: Addresses) -> Server:
    from kit.config import parse_database_url

    return parse_database_url(addresses.database_url)


def _addresses(settings: Settings) -> Addresses:
    """The two servers an operator has named, or those of the `parcours up` on the data folder."""
    from kit.datafolder import Addresses, DataFolder
    from kit.errors import Problem, Refused

    named = (settings.database_url, settings.redis_url)
    if all(named):
        return Addresses(*(url.get_secret_value() for url in named if url))
    if any(named):
        raise Refused(Problem("CONFIG", "Set both DATABASE_URL and REDIS_URL, or neither."))
    folder = DataFolder(settings.data)
    if not folder.is_owned():
        raise Refused(Problem("CONFIG", "Set DATABASE_URL and REDIS_URL, or run `parcours up`, which needs neither."))
    return folder.beside()


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[Server]:
    """The database for one command: DATABASE_URL, or the data folder's, started for the command if need be."""
    from kit.datafolder import DataFolder

    if settings.database_url is not None:
        yield settings.server()
        return
    folder = DataFolder(settings.data)
    with folder.servers() as addresses:
        server = _server(addresses)
        asyncio.run(_prepare(settings, server, folder))
        yield server


def _run(data: Path | None, do: Callable[[], Awaitable[Any]]) -> Any:
    """Do something with the database open."""
    with _database(_settings(data=data)) as server:
        return asyncio.run(_with_pool(server, do))


async def _with_pool(server: Server, do: Callable[[], Awaitable[Any]]) -> Any:
    from kit import db

    await db.connect(server, pool_size=2)
    try:
        return await do()
    finally:
        await db.disconnect()


async def _prepare(settings: Settings, server: Server, folder: DataFolder | None) -> None:
    """The database, its tables and the owner, as far as they are missing.

    Without a folder, where a new token could be kept, the owner is made only if the operator has chosen one.
    """
    from dataclasses import replace

    from kit.embedded import create_database
    from models import migrate

    if settings.database_url is None:
        await create_database(replace(server, database="postgres"), server.database)
    await migrate.run(server)
    if folder is not None or settings.owner_token is not None:
        secret = await _with_pool(server, lambda: _ensure_owner(settings))
        if folder is not None and secret is not None:
            folder.keep_owner_token(secret)


async def _ensure_owner(settings: Settings) -> str | None:
    from kit import clock
    from services import account, users

    await account.set_up(default_country=settings.default_country, timezone=settings.timezone)
    wanted = settings.owner_token.get_secret_value() if settings.owner_token else None
    return await users.ensure_owner(wanted, now=await clock.now())


def _become(package: str, settings: Settings, addresses: Addresses) -> None:
    """Go on as this process of the server: signals reach it directly."""
    from kit import config
    from kit.up import PYTHON

    surroundings = config.environment(DATABASE_URL=addresses.database_url, REDIS_URL=addresses.redis_url)
    os.execve(PYTHON[0], [*PYTHON, package], surroundings)


def main() -> None:
    """The command. What is refused ends it with a sentence and code 1, not with a traceback."""
    from kit.errors import Refused
    from kit.programs import NotStarted

    try:
        app()
    except Refused as refused:
        for problem in refused.problems:
            typer.echo(problem.message, err=True)
        sys.exit(1)
    except NotStarted as failed:
        typer.echo(str(failed), err=True)
        sys.exit(1)
    except Exception as error:
        from kit import log, outage

        if "UndefinedTable" in log.describe(error).get("cause", ""):
            typer.echo("The database has no tables yet. Run: parcours migrate", err=True)
        elif outage.is_outage(error):
            typer.echo(f"The database or the broker cannot be reached ({type(error).__name__}).", err=True)
        else:
            raise
        sys.exit(1)


if __name__ == "__main__":
    main()
