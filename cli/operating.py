"""Commands of an operator: look at the schema, the secrets and the health of it all, and try things out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli import place
from cli.place import Data

if TYPE_CHECKING:
    from workflows.doctor import Finding

app = typer.Typer()


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

    typer.echo(webhook.shown(place.run(data, mail_links.secret)))


@app.command()
def doctor(data: Data = None) -> None:
    """Count on the database what must never be: gaps in paths, counts that are off, runs that hang. Changes nothing."""

    async def examine() -> list[Finding]:
        from kit import clock
        from workflows import doctor as practice

        return await practice.examine(await clock.now())

    findings = place.run(data, examine)
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

    typer.echo(f"It is {place.run(data, forward)} now.")


@app.command()
def demo(data: Data = None) -> None:
    """Fill an empty server with believable contacts, lists, tags and a running automation."""

    async def fill() -> dict[str, int]:
        from kit import clock
        from workflows import demo as month

        return await month.fill(await clock.now())

    made = place.run(data, fill)
    typer.echo("Made " + ", ".join(f"{number} {what}" for what, number in made.items()) + ".")
