"""The README's section for your own file, from `guess` to gold, each line as it stands there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from decimal import Decimal

import pytest

from tests.conftest import ROOT, command

pytestmark = pytest.mark.slow


def lines_of_the_section():
    section = re.search(
        r"## The second day: a file of your own\n(.*?)\n## ", (ROOT / "README.md").read_text(), re.DOTALL
    )[1]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [line.split("   #")[0].strip() for block in blocks for line in block.splitlines()]


@pytest.fixture
def place(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_line_runs_and_the_file_s_energy_is_in_gold(spark, place):
    lines = lines_of_the_section()
    ours = [line.split("main.py ", 1)[1] for line in lines if "main.py " in line]
    assert [line.split()[0] for line in ours] == ["guess", "init", "try", "check", "run"]
    for line in lines:
        if line.startswith("cp "):
            shutil.copy(*(place / word for word in shlex.split(line)[1:]))
            continue
        result = command(*shlex.split(line.split("main.py ", 1)[1]), config=place / "my.toml")
        assert result.exit_code == 0, (line, result.output)
        assert result.output.strip()
    query = "SELECT local_date, sum(consumption) AS kwh, sum(intervals_received) AS n FROM gold.meter_day GROUP BY 1 ORDER BY 1"
    days = json.loads(command("sql", query, "--json", config=place / "my.toml").stdout)
    rows = (place / "docs/examples/half_hours_of_a_house.csv").read_text().splitlines()[1:]
    assert [day["n"] for day in days] == [48, 50]
    assert sum(Decimal(day["kwh"]) for day in days) == sum(Decimal(row.split(",")[2]) for row in rows)
    tried = command(
        "try",
        "docs/examples/half_hours_of_a_house.csv",
        "--feed",
        "half_hours_of_a_house",
        "--json",
        config=place / "my.toml",
    )
    assert [day["consumption"] for day in json.loads(tried.stdout)["days"]] == [day["kwh"] for day in days]
