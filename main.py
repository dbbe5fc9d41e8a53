"""The command line: argv -> settings -> job -> exit code; nothing else. spark-submit runs this file."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from jobs.cli import correcting, loading, looking, starting
from jobs.cli.options import SWITCH
from jobs.cli.process import FAILED, wrong_use

app = typer.Typer(
    name="meterlake",
    help="Meter readings from files and databases into a Delta lake: bronze, silver, gold, and a log of deliveries.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from pipeline.runtime import release

        typer.echo(release.in_words())
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version",
        help="Show the version, and those of Spark and Delta.",
        callback=_version,
        is_eager=True,
        metavar=SWITCH,
    ),
]


@app.callback()
def options(version: Version = False) -> None:
    """Options before a command."""


for commands in (starting, loading, looking, correcting):
    app.add_typer(commands.app)


def entry() -> None:
    """The command line as a process: exits at once after its last output.

    Reader threads of the Arrow and Delta libraries may still be running, and ending them with the interpreter sometimes
    aborts the process (seen: exit code 134 after a correct answer).
    """
    code: object = 0
    try:
        # Without a word typer shows the help. What it finds wrong in a command line is told as any error is.
        code = app(standalone_mode=len(sys.argv) == 1) or 0
    except typer.TyperException as wrong:
        code = wrong_use(wrong)
    except typer.Abort:
        code = FAILED
    except SystemExit as leaving:
        code = leaving.code or 0
    sys.stdout.flush()
    if "DATABRICKS_RUNTIME_VERSION" in os.environ:
        if code:
            sys.exit(code)
        return  # the interpreter is the platform's own and keeps running
    if sail := sys.modules.get("pipeline.runtime.sail"):
        sail.finish()
    if not code and (connect := sys.modules.get("pipeline.runtime.connect")):
        connect.finish()
    if archive := sys.modules.get("pipeline.runtime.class_archive"):
        # A pipe ends only when the JVM has closed it too, and what runs a job may end all that the job leaves.
        if archive.is_recording() and sys.stderr.isatty() and sys.stdout.isatty():
            typer.echo(
                "Java saves its classes in the background (once, up to a minute): later runs start faster.", err=True
            )
            archive.leave()
        archive.finish()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else FAILED)


if __name__ == "__main__":
    entry()
