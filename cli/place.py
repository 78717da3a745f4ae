"""Where a command works: its settings, the servers they name, and the database open for as long as it takes."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kit.config import Settings
    from kit.datafolder import Addresses, DataFolder
    from kit.db import Server

Data = Annotated[Path | None, typer.Option(help="Folder of the data (else PARCOURS_DATA, else .data).")]
Host = Annotated[str | None, typer.Option(help="Address to listen on (else PARCOURS_HOST, else 127.0.0.1).")]
Port = Annotated[int | None, typer.Option(help="Port to listen on (else PARCOURS_PORT, else 8000).")]


def settings(**given: Any) -> Settings:
    """The settings, with what was given on the command line. Children get both through their environment."""
    from kit import config

    for name, value in given.items():
        if value is not None:
            config.override(name, value)
    return config.settings()


def server_of(addresses: Addresses) -> Server:
    """How to reach the database of these."""
    from kit.config import parse_database_url

    return parse_database_url(addresses.database_url)


def addresses(settings: Settings) -> Addresses:
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
def database(settings: Settings) -> Iterator[Server]:
    """The database for one command: DATABASE_URL, or the data folder's, started for the command if need be."""
    from kit.datafolder import DataFolder

    if settings.database_url is not None:
        yield settings.server()
        return
    folder = DataFolder(settings.data)
    with folder.servers() as addresses:
        server = server_of(addresses)
        asyncio.run(prepare(settings, server, folder))
        yield server


def run(data: Path | None, do: Callable[[], Awaitable[Any]]) -> Any:
    """Do something with the database open."""
    with database(settings(data=data)) as server:
        return asyncio.run(with_pool(server, do))


async def with_pool(server: Server, do: Callable[[], Awaitable[Any]]) -> Any:
    """Do something with connections to the server, in a loop of its own."""
    from kit import db

    await db.connect(server, pool_size=2)
    try:
        return await do()
    finally:
        await db.disconnect()


async def prepare(settings: Settings, server: Server, folder: DataFolder | None) -> None:
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
        secret = await with_pool(server, lambda: ensure_owner(settings))
        if folder is not None and secret is not None:
            folder.keep_owner_token(secret)


async def ensure_owner(settings: Settings) -> str | None:
    """The account, and its owner with the token that the operator has chosen; the token, if it was made now."""
    from kit import clock
    from services import account, users

    await account.set_up(default_country=settings.default_country, timezone=settings.timezone)
    wanted = settings.owner_token.get_secret_value() if settings.owner_token else None
    return await users.ensure_owner(wanted, now=await clock.now())


def become(package: str, addresses: Addresses) -> None:
    """Go on as this process of the server: signals reach it directly."""
    from kit import config
    from kit.up import PYTHON

    surroundings = config.environment(DATABASE_URL=addresses.database_url, REDIS_URL=addresses.redis_url)
    os.execve(PYTHON[0], [*PYTHON, package], surroundings)
