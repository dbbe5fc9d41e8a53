"""`init`: a first configuration, with one feed and what its keys mean. Never over an existing file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from jobs import guess
from jobs.shared.called import as_typed
from jobs.shared.output import console
from pipeline.config.settings import load
from pipeline.errors import UsageError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

TOP = """\
# The configuration of Meterlake; docs/configuration.md has every key.
# Folders are relative to this file's folder where a command finds it by itself
# (meterlake.toml), and to the folder it is started in where --config names it.
# `main.py check` looks at all of it.
lake = "data_lake"              # a folder, or a URI: s3a://, gs://, abfss://
environment = "production"      # "development" takes test files (DV) too
active_on = []                  # days of gold.active_agreements: ["2026-01-01"]

"""
FEED = """\
# One supplier's flow of files. `main.py guess FILE` writes such an entry for a
# file of yours, `main.py try FILE --feed NAME` shows what it makes of it.
[[feeds]]
name = "readings"               # names the table bronze.readings
format = "csv"                  # or smrt, split_json, obis_json, nem12, ...
path = "data_lake/landing/readings"
time_zone = "Europe/London"     # of times without an offset, and of local days
interval_minutes = 30
direction = "import"            # import | export | production | consumption
unit = "kWh"                    # kWh | Wh | MWh, or a mean power: kW | W

[feeds.csv]
delimiter = ","
decimal = "."
meter = "meter"                 # a column; or meter_id = "..." for all rows
timestamp = "timestamp"         # or two: ["Date", "Time"]
# timestamp_format = "dd/MM/yyyy HH:mm"    # without it ISO 8601
label = "start"                 # whether a time is the start or the end
value = "value"
"""
# Configurations that a command finds by itself.
FOUND = {Path("meterlake.toml"), Path("conf/local.toml")}
BOTTOM = """\

# Agreements, products and meterpoints, for totals by product:
# [reference]
# url = "jdbc:sqlite:data_lake/landing/reference.db"
# feeds = ["{name}"]
"""


def run(config: Path, example: Path | None, *, as_json: bool) -> None:
    """Write the configuration, with the entry that `guess` makes of an example, and the feed's folder."""
    if config.exists() or config.is_symlink():
        raise UsageError(f"{config} is there already, and is not written over: name another file with --config")
    entry = None if example is None else guess.guessed(example, None)
    feed = FEED
    if entry is not None and example is not None:
        feed = f"{guess.heading(example, entry, is_placed=True)}\n{entry.toml()}"
    name = "readings" if entry is None else str(entry.feed["name"])
    try:
        config.parent.mkdir(parents=True, exist_ok=True)
        with config.open("x", encoding="utf-8") as file:
            file.write(TOP + feed + BOTTOM.format(name=name))
        folders = [Path(each.path) for each in load(config).feeds]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"{problem.filename or config} cannot be written: {problem.strerror or problem}") from None
    _print(config, name, folders, as_json=as_json)


def _print(config: Path, name: str, folders: Sequence[Path], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"written": str(config), "feed": name, "folders": [str(each) for each in folders]}))
        return
    out = console()
    out.print(Text(printable(f"Wrote {config}, with feed {name!r}, and made its folder {folders[0]}.")))
    where = "" if config in FOUND else f" --config {config}"
    out.print("Next:")
    for command in (f"main.py try FILE --feed {name}", "main.py check"):
        out.print(Text(printable(f"  {as_typed(command)}{where}")), soft_wrap=True)
    out.print(Text(printable(f"Then copy the files into {folders[0]}, and:")), soft_wrap=True)
    out.print(Text(printable(f"  {as_typed('main.py run')}{where}")), soft_wrap=True)
