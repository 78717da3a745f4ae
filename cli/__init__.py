"""The `parcours` command: run the server, its parts, and what an operator does from a terminal.

Libraries are imported where they are needed, so that `parcours --help` is there at once.
"""

from __future__ import annotations

import sys

import typer

from cli import importing, operating, running, tokens

app = typer.Typer(
    help="Parcours: contacts and the ways they take.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (running, importing, operating):
    app.add_typer(group.app)
app.add_typer(tokens.app, name="token")


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
