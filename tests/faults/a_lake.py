"""A small lake with a history, deliveries for its next run, and what its tables hold if all goes well."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from jobs import run
from pipeline import formats
from pipeline.config.settings import load as load_settings
from pipeline.deliveries import ingestion_log
from pipeline.lake import access, tables
from pipeline.runtime import fetch_jars
from pipeline.runtime.context import Context
from pipeline.runtime.failpoints import VARIABLE
from pipeline.runtime.log import Log
from tests.jobs.conftest import database, put, smrt, split_json

ROOT = Path(__file__).parents[2]
CONFIG = """lake = "lake"
active_on = [2021-01-04]
[[feeds]]
name = "gas"
format = "smrt"
path = "gas"
acknowledge = "responses"
[[feeds]]
name = "electricity"
format = "split_json"
path = "electricity"
time_zone = "Europe/London"
[reference]
url = "jdbc:sqlite:reference.db"
feeds = ["electricity"]
"""
AGREEMENTS = [(1, "2020-01-01", "2021-01-05", "fixed", "m1", "a"), (2, "2020-01-01", None, "variable", "m2", "b")]
# When and by which run something was written, and the numbers of deliveries, may differ.
NOT_COMPARED = {
    "batch_id",
    "run_id",
    "revision",
    "received_at",
    "rejected_at",
    "restated_at",
    "written_at",
    "modified_at",
    "file_path",
    "response_path",
}


@dataclass(frozen=True)
class Lake:
    """A folder with a configuration, landing folders and a lake, or the tables of a catalog."""

    folder: Path
    catalog: str | None = None

    def copied_to(self, folder: Path) -> Lake:
        """The same, elsewhere; times of files stay."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Lake(folder)

    def context(self) -> Context:
        """A context of a new run in this process."""
        settings = load_settings(self.folder / "meterlake.toml")
        feeds = [
            feed.model_copy(
                update={
                    "path": str(self.folder / feed.path),
                    "acknowledge": feed.acknowledge and str(self.folder / feed.acknowledge),
                }
            )
            for feed in settings.feeds
        ]
        url = f"jdbc:sqlite:{self.folder / 'reference.db'}"
        reference = settings.reference.model_copy(update={"url": url})
        where = {"catalog": self.catalog, "lake": None} if self.catalog else {"lake": str(self.folder / "lake")}
        placed = where | {"feeds": tuple(feeds), "reference": reference}
        return Context(settings.model_copy(update=placed), log=Log("", quiet=True))

    def run(self) -> None:
        """A run in this process; one that was killed may still be ending."""
        run.run(self.context(), wait_seconds=120)

    def start(self, failpoint: str = "", *arguments: str, verb: str = "run") -> subprocess.Popen[str]:
        """A run, or another command, as a process of its own."""
        return subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), verb, "--config", "meterlake.toml", *arguments],
            cwd=self.folder,
            env=environment() | {VARIABLE: failpoint},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def contents(self) -> dict[str, list[tuple[str, ...]]]:
        """Every table's rows as text; deliveries by name and content instead of number."""
        context = self.context()
        names = {0: "", None: ""} | {
            each.file_id: f"{each.relative_path} {each.sha256} {each.status}" for each in ingestion_log.logged(context)
        }
        every = [table for table in formats.lake_tables(context.settings) if table is not tables.RUNS]
        found = {}
        for table in every:
            rows = access.small_table(context, table).to_pylist()
            found[table.full_name] = sorted(
                tuple(
                    names[value] if name == "file_id" else _text(value)
                    for name, value in row.items()
                    if name not in NOT_COMPARED
                )
                for row in rows
            )
        responses = (self.folder / "responses").rglob("*")
        found["responses"] = sorted(
            (
                path.name,
                *sorted(
                    f"{name}={value}"
                    for name, value in json.loads(path.read_text()).items()
                    if name not in NOT_COMPARED
                ),
            )
            for path in responses
            if path.is_file()
        )
        return found

    def versions(self) -> dict[str, int | None]:
        """The version of every table but ops.runs."""
        context = self.context()
        every = formats.lake_tables(context.settings)
        return {table.full_name: access.version(context, table) for table in every if table is not tables.RUNS}


def environment() -> dict[str, str]:
    """The environment of a separate process that uses our JARs and nothing else of this process's Spark."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYSPARK", "METERLAKE"))}
    return inherited | {"METERLAKE_JARS": str(fetch_jars.jar_folder().absolute())}


def _text(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def with_history(folder: Path, catalog: str | None = None, kind: type[Lake] = Lake) -> Lake:
    """A lake that has loaded a day, with the next deliveries in its landing folders: every kind of work for a run."""
    found = kind(folder, catalog)
    (folder / "meterlake.toml").write_text(CONFIG)
    gas, electricity = folder / "gas", folder / "electricity"
    database(folder / "reference.db", AGREEMENTS)
    put(gas, "PN000001.SMRT", smrt("PN000001", '"0001","20210104","0000","1"', '"0001","20210104","0100","2"'))
    put(electricity, "1.json", split_json(["2021-01-04 00:00:00", "m1", 1], ["2021-01-04 00:00:00", "m2", 4]))
    found.run()
    # A reading of the day before, once more a rejected row, a file cut in half, a correction that restates, a new day.
    put(gas, "PN000002.SMRT", smrt("PN000002", '"0001","20210104","0200","3"', '"0001","20210105","0000","x"'), 10)
    put(gas, "PN000003.SMRT", smrt("PN000003", '"0001","20210105","0000","3"')[:-9], 10)
    put(electricity, "2.json", split_json(["2021-01-04 00:00:00", "m1", 2], ["2021-01-05 00:30:00", "m2", 8]), 10)
    database(folder / "reference.db", [(1, "2020-01-01", None, "variable", "m1", "a"), AGREEMENTS[1]])
    return found
