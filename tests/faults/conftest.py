"""Runs as separate processes in hostile places: what they leave behind and what they print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from pipeline.runtime import class_archive, fetch_jars
from tests.jobs.conftest import electricity, gas

# The landing folders of the tests of jobs are those of these tests too.
__all__ = ["electricity", "gas"]

ROOT = Path(__file__).parents[2]
FEEDS = """
[[feeds]]
name = "gas"
format = "smrt"
path = "{landing}/gas"

[[feeds]]
name = "electricity"
format = "split_json"
path = "{landing}/electricity"
time_zone = "Europe/London"
"""


@dataclass
class Ended:
    """How a process ended: its code, what it printed, the lines of standard error that are no log."""

    code: int
    out: str
    err: str
    said: list[str]

    @property
    def facts(self):
        return json.loads(self.out)


class Place:
    """A landing folder, a lake and a configuration in one folder, or with the lake elsewhere."""

    def __init__(self, folder, lake=None):
        self.folder, self.lake = folder, lake or folder / "lake"
        self.config = folder / "meterlake.toml"
        for feed in ("gas", "electricity"):
            (folder / "landing" / feed).mkdir(parents=True, exist_ok=True)
        self.config.write_text(f'lake = "{self.lake}"\n' + FEEDS.format(landing=folder / "landing"))

    def put(self, path, content):
        """Put a delivery into the landing folder of its feed."""
        whole = self.folder / "landing" / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_bytes(content)
        return whole

    def call(self, *arguments, before=(), timeout=600, **environment):
        """Run one of our commands to its end; `before` comes before it on the command line."""
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYSPARK", "SPARK", "METERLAKE"))
        }
        jars = {"METERLAKE_JARS": str(fetch_jars.jar_folder().absolute()), class_archive.OFF: "1"}
        done = subprocess.run(
            [*before, sys.executable, str(ROOT / "main.py"), *arguments, "--config", str(self.config)],
            cwd=self.folder,
            env=variables | jars | environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        said = [line for line in done.stderr.splitlines() if not line.startswith('{"ts"')]
        return Ended(done.returncode, done.stdout, done.stderr, said)

    def run(self, **options):
        """The main job, which must end well."""
        done = self.call("run", "--json", **options)
        assert done.code == 0, done.err[-3000:]
        return done.facts

    def rows(self, table, *columns):
        """Rows of a table as sorted tuples; [] if there is no such table."""
        try:
            found = DeltaTable(str(self.lake / table.replace(".", "/"))).to_pyarrow_table(columns=list(columns))
        except TableNotFoundError:
            return []
        return sorted((tuple(row.values()) for row in found.to_pylist()), key=repr)

    def log(self):
        """(path, status, reason_code) of every delivery that was decided."""
        return self.rows("ops.ingestion_log", "relative_path", "status", "reason_code")

    def readings(self):
        """Silver without what may differ between runs: numbers of files and batches."""
        columns = ("feed", "meter_id", "interval_start", "consumption", "row_number")
        return self.rows("silver.readings", *columns)

    def gold(self):
        """Days of meters and half hours, as gold has them."""
        days = self.rows("gold.meter_day", "feed", "meter_id", "local_date", "consumption", "intervals_received")
        hours = self.rows("gold.total_consumption_half_hour", "feed", "interval_start", "meterpoint_count", "total_kwh")
        return days, hours


@pytest.fixture
def place(tmp_path):
    """A separate place for this test."""
    return Place(tmp_path)


def one_line(done):
    """What a failed command said, which must be one line that needs no knowledge of Java or Python."""
    assert done.code == 1, (done.code, done.out[-500:], done.err[-3000:])
    (line,) = done.said
    assert line.startswith("meterlake: ")
    assert not any(word in line for word in ("Traceback", "Py4J", "java.", "org.apache", "Exception", "Error:")), line
    return line
