"""Commands for a first configuration: init, check, guess, try."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.cli import completion, configuration
from jobs.cli.options import FILE, NAME, NUMBER, START, AsJson, Config, Debug, examples
from jobs.cli.process import FAILED, REFUSED, context_of, errors

app = typer.Typer()


@app.command(rich_help_panel=START, epilog=examples("meterlake init --from supplier.csv"))
def init(
    example: Annotated[
        Path | None, typer.Option("--from", help="A supplier's file: its feed is guessed and written.", metavar=FILE)
    ] = None,
    config: Config = None,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a first configuration with one feed, to --config or meterlake.toml; never over an existing file."""
    with errors(debug):
        from jobs import init as job

        job.run(config or Path(configuration.NAME), example, as_json=json)


@app.command(rich_help_panel=START, epilog=examples("meterlake check"))
def check(config: Config = None, json: AsJson = False, debug: Debug = False) -> None:
    """Look at all that the configuration names, and say what is wrong, each in a line; exit 1 when something is.

    Folders, zones, Java, JARs, database, endpoints, tokens, disk. Nothing is written, and no JVM starts.
    """
    with errors(debug):
        from jobs import check as job

        if not job.run(context_of(config), as_json=json):
            raise typer.Exit(FAILED)


@app.command(rich_help_panel=START, epilog=examples("meterlake guess supplier.csv --name roof"))
def guess(
    file: Annotated[Path, typer.Argument(help="A file as the supplier sends it.")],
    name: Annotated[
        str | None, typer.Option(help="The feed's name; if left out, from the file's.", metavar=NAME)
    ] = None,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """A feed's entry for the configuration, guessed from a file, and what the file cannot say."""
    with errors(debug):
        from jobs import guess as job

        job.run(file, name, as_json=json)


@app.command("try", rich_help_panel=START, epilog=examples("meterlake try supplier.csv --feed roof"))
def try_(
    file: Annotated[Path, typer.Argument(help="A file; its name and folder need not be the feed's.")],
    feed: Annotated[str, typer.Option(help="The feed that it is for.", autocompletion=completion.feeds, metavar=NAME)],
    rows: Annotated[
        int, typer.Option(help="Judge at most so many rows: they are held in memory.", min=1, metavar=NUMBER)
    ] = 200_000,
    config: Config = None,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """What would become of a file: its verdict, counts, first readings, totals, rejected rows; exit 3 on a refusal.

    No lake is needed, nothing is written, and no JVM starts.
    """
    with errors(debug):
        from jobs import try_file as job

        if not job.run(context_of(config), file, feed, rows, as_json=json):
            raise typer.Exit(REFUSED)
