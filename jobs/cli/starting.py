"""Commands for a first configuration: init, check, guess, try."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.options import CONFIG, AsJson, Config, Debug
from jobs.cli.process import FAILED, REFUSED, context_of, errors

app = typer.Typer()


@app.command()
def init(
    example: Annotated[
        Path | None, typer.Option("--from", help="A supplier's file: its feed is guessed and written.")
    ] = None,
    config: Config = CONFIG,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a first configuration to --config, with one feed; an existing file is never written over."""
    with errors(debug):
        from jobs import init as job

        job.run(config, example, as_json=json)


@app.command()
def check(config: Config = CONFIG, json: AsJson = False, debug: Debug = False) -> None:
    """Look at all that the configuration names, and say what is wrong, each in a line; exit 1 when something is.

    Folders, zones, Java, JARs, database, endpoints, tokens, disk. Nothing is written, and no JVM starts.
    """
    with errors(debug):
        from jobs import check as job

        if not job.run(context_of(config), as_json=json):
            raise typer.Exit(FAILED)


@app.command()
def guess(
    file: Annotated[Path, typer.Argument(help="A file as the supplier sends it.")],
    name: Annotated[str | None, typer.Option(help="The feed's name; if left out, from the file's.")] = None,
    json: AsJson = False,
    debug: Debug = False,
) -> None:
    """A [[feeds]] entry that loads an unknown file, and what the file cannot say; no configuration needed."""
    with errors(debug):
        from jobs import guess as job

        job.run(file, name, as_json=json)


@app.command("try")
def try_(
    file: Annotated[Path, typer.Argument(help="A file; its name and folder need not be the feed's.")],
    feed: Annotated[str, typer.Option(help="The feed of the configuration that it is for.")],
    rows: Annotated[int, typer.Option(help="Judge at most so many rows: they are held in memory.", min=1)] = 200_000,
    config: Config = CONFIG,
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
