"""A separate process: commands one after the other in one session. `in_turn.py CONFIG ANSWERS < COMMANDS`.

The session is CONFIG's. COMMANDS are lists of arguments, as JSON; ANSWERS is a file for the lists [exit code, standard
output, standard error].
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from typer.testing import CliRunner

import main
from pipeline.config.settings import load
from pipeline.runtime import session


def run(config: str, answers: str) -> None:
    spark = session.build(load(config), stays=True)
    ended = [CliRunner().invoke(main.app, arguments) for arguments in json.load(sys.stdin)]
    Path(answers).write_text(json.dumps([[each.exit_code, each.stdout, each.stderr] for each in ended]))
    session.end(spark)


if __name__ == "__main__":
    run(*sys.argv[1:])
