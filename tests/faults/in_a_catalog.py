"""A separate process: a lake in a catalog. `FOLDER CATALOG PLACE|"" STEP…`.

The session's own catalog is a metastore in the working folder; another one is set by METERLAKE_SPARK.

`begin` creates the lake and runs, killed at the place; `end` withdraws, runs and prints what the lake says.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from pipeline.runtime import failpoints
from tests.faults.a_lake import Lake, with_history
from tests.faults.commands import COMMANDS, contents, must_be_conserved, must_be_whole


def main(folder: Path, catalog: str, place: str, *steps: str) -> None:
    """The steps, in this process."""
    if "begin" in steps:
        lake = with_history(folder, catalog)
        failpoints.forget()
        os.environ[failpoints.VARIABLE] = f"kill:{place}"
        lake.run()
    if "end" in steps:
        lake = Lake(folder, catalog)
        COMMANDS["withdraw"].do(lake.context())
        must_be_whole(lake)
        lake.run()
        must_be_whole(lake)
        must_be_conserved(lake)
        before = lake.versions()
        lake.run()
        assert lake.versions() == before
        print(json.dumps(contents(lake)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
