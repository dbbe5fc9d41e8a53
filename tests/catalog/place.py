"""A folder with deliveries and catalogs, and processes that run commands on them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from pipeline.runtime import class_archive, fetch_jars
from tests.catalog import folder_catalog
from tests.jobs.conftest import put, split_json

ROOT = Path(__file__).parents[2]


class Place:
    """A folder with landing folders, configurations and catalogs."""

    def __init__(self, folder):
        self.folder = folder
        self.classes = folder_catalog.compiled(folder / "classes")
        self.spark = {"spark.driver.extraClassPath": str(self.classes)}

    def configure(self, name, catalog, *, root=None, landing="landing", **options):
        """The example configuration of a lake in a catalog of that name; its path."""
        self.spark |= folder_catalog.settings(self.folder / (root or catalog), catalog, **options)
        text = (ROOT / "conf" / "local.toml").read_text().replace("data_lake/landing", str(self.folder / landing))
        path = self.folder / f"{name}.toml"
        path.write_text(text.replace('lake = "data_lake"', f'catalog = "{catalog}"'))
        return str(path)

    def call(self, *commands):
        """Commands one after the other in a process of their own: (exit code, output, errors) of each."""
        events = self.folder / "events"
        events.mkdir(exist_ok=True)
        logged = {
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": events.as_uri(),
            "spark.eventLog.compress": "false",
            "spark.eventLog.rolling.enabled": "false",
        }
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(("PYSPARK", "SPARK", "METERLAKE"))}
        ours = {
            "METERLAKE_JARS": str(fetch_jars.jar_folder().absolute()),
            "METERLAKE_SPARK": json.dumps(self.spark | logged),
            "PYTHONPATH": str(ROOT),
            class_archive.OFF: "1",
        }
        answers = self.folder / "answers.json"
        done = subprocess.run(
            [sys.executable, "-m", "tests.catalog.in_turn", commands[0][-1], str(answers)],
            cwd=self.folder, env=inherited | ours, input=json.dumps(commands), capture_output=True, text=True,
            timeout=1500, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        return json.loads(answers.read_text())

    def changes(self, root):
        """What was created, altered and dropped in the catalog of that root."""
        return folder_catalog.changes(self.folder / root)

    def with_a_delivery(self, *empty, landing="landing", name="day.json", day="2021-01-04"):
        """A delivery of electricity, and empty landing folders of other feeds."""
        for feed in empty:
            (self.folder / landing / feed).mkdir(parents=True)
        put(self.folder / landing / "electricity", name, split_json([f"{day} 00:00:00", "m1", "1"]))

    def created_by_statement(self, node):
        """How many statements were run whose plan is this node."""
        plan = re.compile(rf"== Physical Plan ==\\n(?:Execute )?{node}\b")
        count = 0
        for path in (self.folder / "events").iterdir():
            with path.open() as lines:
                count += sum(bool(plan.search(line)) for line in lines)
        return count
