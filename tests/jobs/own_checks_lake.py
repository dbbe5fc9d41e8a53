"""A lake with one feed and the `[[checks]]` that a test gives it."""

from __future__ import annotations

from pipeline.config.settings import load
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from tests.conftest import command
from tests.jobs.conftest import put, smrt

CONFIG = """
lake = "{folder}/lake"
[[feeds]]
name = "gas"
format = "smrt"
path = "{folder}/in"
"""
CHECK = """
[[checks]]
name = "{name}"
severity = "{severity}"
sql = "{sql}"
"""
LARGE = ("large", "error", "SELECT * FROM gold.meter_day WHERE consumption > 2 -- kWh")
NONE = ("none", "error", "SELECT * FROM silver.readings WHERE consumption < 0")


class Lake:
    """A lake in a folder with a feed `gas`, and the checks that it is given."""

    def __init__(self, folder):
        self.folder, self.config = folder, folder / "meterlake.toml"
        (folder / "in").mkdir()

    def configure(self, *checks):
        text = CONFIG.format(folder=self.folder)
        text += "".join(CHECK.format(name=name, severity=severity, sql=sql) for name, severity, sql in checks)
        self.config.write_text(text)

    def deliver(self, number, *values):
        rows = [f'"00{n}","20210328","0000",{value}' for n, value in enumerate(values)]
        put(self.folder / "in", f"PN00000{number}.SMRT", smrt(f"PN00000{number}", *rows))

    def run(self, *arguments, verb="run"):
        return command(verb, "--json", *arguments, config=self.config)

    def context(self):
        return Context(load(self.config), log=Log("", quiet=True))

    def versions(self):
        """Versions of every table but ops.runs."""
        lake = self.folder / "lake"
        return {
            path.parent.relative_to(lake): len(list(path.glob("*.json")))
            for path in lake.rglob("_delta_log")
            if path.parent.name != "runs"
        }
