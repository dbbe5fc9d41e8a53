"""Every command of the README works on the demo lake, answers machines, and says what is wrong in one line."""

from __future__ import annotations

import csv
import json
import re
import shlex
from io import StringIO
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.conftest import ROOT, command
from tests.jobs.test_demo import config

__all__ = ["config"]

# `make test-faults` runs these: they rebuild days, or the whole lake.
OPERATIONS = {"verify", "maintain", "withdraw", "replay", "erase"}


def readme_commands(*, of_operations: bool = False) -> list[str]:
    """Every `main.py` command in the README and docs/commands.md; those that work on the lake as a whole are tested apart."""
    text = "".join((ROOT / page).read_text() for page in ("README.md", "docs/commands.md"))
    blocks = re.findall(r"```(?:sh|bash)\n(.*?)```", text, re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    every = [line.split("main.py ", 1)[1] for line in lines if "python main.py " in line]
    # tests/platform starts and stops these; test_a_file_of_your_own.py runs what needs a configuration of its own
    apart = {"watch", "serve", "guess", "init", "try", "check"}
    ending = [line for line in every if line.split()[0] not in apart and "my.toml" not in line]
    return [line for line in ending if (line.split()[0] in OPERATIONS) == of_operations]


@pytest.mark.parametrize("line", readme_commands())
def test_every_command_of_the_readme_runs(
    line: str, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if line.startswith("report"):  # which writes where it is started
        monkeypatch.chdir(tmp_path)
    arguments = [word for word in shlex.split(line) if word not in {"--config", "conf/local.toml"}]
    result = command(*arguments, config=config)
    assert result.exit_code == (3 if "--strict" in arguments and "run" in arguments and result.exit_code else 0), (
        result.output
    )
    assert result.output.strip()


def test_the_readme_shows_commands() -> None:
    assert len(readme_commands()) >= 8


def test_answers_for_machines_are_json_and_csv(config: Path) -> None:
    status = json.loads(command("status", "--json", config=config).stdout)
    assert status["last_run"]["status"] == "succeeded"
    assert status["overlapping_agreements"] == 1
    assert {(each["feed"], each["reason_code"]) for each in status["refused"]} >= {("gas", "TRAILER_MISSING")}
    assert status["gold"]["waiting_deliveries"] == 0
    assert 0 <= status["gold"]["age_seconds"] < 3600
    assert status["late"][0] | {"last_delivery_at": None} == {
        "feed": "gas",
        "last_day": "2021-03-29",
        "last_delivery_at": None,
    }
    lake_folder = Path(status["lake"])
    present = {each["table"]: each for each in status["tables"]}["gold.meter_day"]
    # The README's `run gold --from …`, which ran before, left the files of earlier versions.
    there = {path.name for path in lake_folder.glob("gold/meter_day/feed=*/*/*.parquet")}
    current = {uri.rpartition("/")[2] for uri in DeltaTable(str(lake_folder / "gold/meter_day")).file_uris()}
    assert present["files"] == len(current & there) == len(current) <= len(there)
    assert status["disk_bytes"] > sum(each["bytes"] for each in status["tables"]) > present["bytes"] > 0
    files = json.loads(command("files", "--json", "--status", "conflict", config=config).stdout)
    assert [each["reason_code"] for each in files] == ["CHANGED_AFTER_LOADING"]
    refused = json.loads(command("rejected", "--json", "--feed", "gas", config=config).stdout)
    assert {each["reason_code"] for each in refused} == {"METER_ID_INVALID", "OFF_GRID", "CONSUMPTION_NEGATIVE"}
    query = (
        "SELECT interval_start, total_kwh FROM gold.aggregate_per_half_hour "
        "WHERE feed = 'electricity' ORDER BY interval_start LIMIT 1"
    )
    answer = command("sql", query, "--format", "csv", config=config).stdout
    (first,) = csv.DictReader(StringIO(answer))
    assert first["interval_start"] == "2021-03-27 00:00:00Z"
    assert json.loads(command("sql", query, "--format", "json", config=config).stdout) == [first]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("run", "platinum"), 2, "unknown layer 'platinum'"),
        (("sql", "DROP TABLE gold.meter_day"), 2, "reads only"),
        (("sql", "SELECT * FROM gold.nothing"), 2, "no table 'gold.nothing'"),
        (("sql", "SELECT 1", "--format", "xml"), 2, "unknown format 'xml'"),
        (("status", "--config", "nowhere.toml"), 2, "no such file"),
    ],
)
def test_a_wrong_command_is_one_line_and_an_exit_code(
    arguments: tuple[str, ...], code: int, says: str, config: Path
) -> None:
    result = command(*arguments, config=config)
    assert result.exit_code == code
    (line,) = result.stderr.strip().splitlines()
    assert says in line


def test_refused_deliveries_end_a_strict_run_with_3(config: Path) -> None:
    landing = config.parent / "data_lake" / "landing" / "gas"
    (landing / "late.SMRT").write_bytes(b"HEADR")
    result = command("run", "--strict", "--json", config=config)
    assert result.exit_code == 3
    assert json.loads(result.stdout)["refused"][0]["reason_code"] == "BAD_FILE_NAME"
