"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Option(help="Configuration file (TOML).", envvar="METERLAKE_CONFIG")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON on standard output.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show an error's traceback, and where a run spends its time.")]
Strict = Annotated[bool, typer.Option("--strict", help="Leave with exit code 3 when a delivery was refused.")]
Wait = Annotated[
    float, typer.Option(help="Wait this many seconds for another run on this lake (exit 4 if it takes longer).", min=0)
]
Limit = Annotated[int, typer.Option(help="At most this many rows.", min=1)]
CONFIG = Path("conf/local.toml")
