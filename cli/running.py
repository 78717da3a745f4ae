"""Commands that run the server, whole or in parts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from cli import place
from cli.place import Data, Host, Port

if TYPE_CHECKING:
    from kit.datafolder import Addresses

app = typer.Typer()


@app.command()
def up(data: Data = None, host: Host = None, port: Port = None) -> None:
    """Run everything: PostgreSQL, Valkey, the web server and the workers. One Ctrl-C stops it."""
    from kit import up as everything
    from kit.datafolder import DataFolder

    settings = place.settings(data=data, host=host, port=port)
    folder = DataFolder(settings.data)

    def prepare(addresses: Addresses) -> None:
        asyncio.run(place.prepare(settings, place.server_of(addresses), folder))

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
    settings = place.settings(data=data, host=host, port=port)
    addresses = place.addresses(settings)
    if settings.owner_token is not None:
        asyncio.run(place.with_pool(place.server_of(addresses), lambda: place.ensure_owner(settings)))
    place.become("web", addresses)


@app.command()
def worker(data: Data = None) -> None:
    """Run one worker alone: on DATABASE_URL and REDIS_URL, or beside a running `parcours up`."""
    settings = place.settings(data=data)
    place.become("workers", place.addresses(settings))


@app.command()
def migrate(data: Data = None) -> None:
    """Bring the database to the newest shape of its tables. Harmless at any time, from any number of processes."""
    settings = place.settings(data=data)
    with place.database(settings) as server:
        if settings.database_url is not None:
            asyncio.run(place.prepare(settings, server, None))
    typer.echo("The database is up to date.")
