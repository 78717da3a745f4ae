"""Commands that make, show and revoke tokens for the API."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import place
from cli.place import Data

app = typer.Typer(help="Tokens for the API.", no_args_is_help=True)


@app.command("create")
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

    typer.echo(place.run(data, create))


@app.command("list")
def token_list(data: Data = None) -> None:
    """Show the tokens there are: number, beginning, name, user."""
    from services import tokens

    for row in place.run(data, tokens.find_all):
        typer.echo("  ".join(str(value) for value in row.values()))


@app.command("revoke")
def token_revoke(number: Annotated[int, typer.Argument(help="As `token list` shows it.")], data: Data = None) -> None:
    """End a token at once."""
    from services import tokens
    from services.caller import system

    async def revoke() -> None:
        from kit import clock

        await tokens.revoke(number, by=system(await clock.now()))

    place.run(data, revoke)
    typer.echo("The token is revoked.")
