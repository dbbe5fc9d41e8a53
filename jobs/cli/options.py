"""Options that several commands have, and the groups that --help shows commands in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs.cli import completion

LOAD = "Load"
LOOK = "Look and ask"
CORRECT = "Correct and maintain"
START = "Start with a new file or lake"
# What --help shows instead of a value: nothing for a switch, else a word that takes little of 80 columns.
SWITCH, FILE, NAME, NUMBER, SECONDS, DAY = "", "FILE", "NAME", "N", "SECONDS", "DAY"

Config = Annotated[
    Path | None,
    typer.Option(
        help="Configuration (TOML); if left out, the nearest meterlake.toml from here upwards, else conf/local.toml.",
        envvar="METERLAKE_CONFIG",
        metavar=FILE,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON on standard output.", metavar=SWITCH)]
Debug = Annotated[
    bool, typer.Option("--debug", help="Show an error's traceback, and where a run spends its time.", metavar=SWITCH)
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Leave with exit code 3 when a delivery was refused, or a check of severity error found rows.",
        metavar=SWITCH,
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        help="Wait this long for another run on this lake (exit 4 if it takes longer).", min=0, metavar=SECONDS
    ),
]
Limit = Annotated[int, typer.Option(help="At most this many rows.", min=1, metavar=NUMBER)]
OfFeed = Annotated[
    str | None,
    typer.Option(
        "--feed",
        help="Only this feed (or 'reference').",
        autocompletion=completion.feeds_and_reference,
        metavar=NAME,
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        help="delta reads the files itself; spark is slower, and reads what only Spark may.",
        autocompletion=completion.one_of("delta", "spark"),
        metavar=NAME,
    ),
]


def examples(*lines: str) -> str:
    """Command lines below a command's help, one a line."""
    return "\n  ".join(("Examples:", *lines))
