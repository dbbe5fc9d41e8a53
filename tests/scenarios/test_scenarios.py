"""Each folder here is a scenario that a domain person can read: deliveries by step, and the tables that must follow.

`1/`, `2/` … hold what arrives before each run, by feed; `then/<layer.table>.csv` the whole table, in the columns named.
"""

from __future__ import annotations

import csv
import os
import shutil
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs import run
from jobs.shared.output import cell
from pipeline import formats
from pipeline.config.settings import Settings
from pipeline.lake import access
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log

SCENARIOS = sorted(path.parent for path in Path(__file__).parent.glob("given_*/config.toml"))
FIRST_ARRIVAL = int(datetime(2021, 11, 1, 6, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_scenario(scenario, spark, tmp_path):
    settings = tomllib.loads((scenario / "config.toml").read_text())
    for feed in settings["feeds"]:
        feed["path"] = str(tmp_path / "landing" / feed["name"])
        Path(feed["path"]).mkdir(parents=True)
    settings["lake"] = str(tmp_path / "lake")
    steps = sorted(path for path in scenario.iterdir() if path.name.isdigit())
    for hour, step in enumerate(steps):
        for file in sorted(path for path in step.rglob("*") if path.is_file()):
            target = tmp_path / "landing" / file.relative_to(step)
            shutil.copyfile(file, target)
            os.utime(target, (FIRST_ARRIVAL + hour * 3600,) * 2)
        context = Context(Settings(**settings), log=Log("", quiet=True))
        run.run(context)
    expectations = sorted((scenario / "then").glob("*.csv"))
    assert steps
    assert expectations
    tables = {table.full_name: table for table in formats.lake_tables(context.settings)}
    for expectation in expectations:
        with expectation.open(newline="") as file:
            header, *expected = list(csv.reader(file))
        found = access.small_rows(context, tables[expectation.stem], header)
        texts = [["" if value is None else str(cell(value)) for value in row.values()] for row in found]
        assert sorted(texts) == sorted(expected), expectation.name
