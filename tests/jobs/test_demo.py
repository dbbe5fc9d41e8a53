"""The demo lake: its gold tables equal what plain Python computes, and every command of the README works on it."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from jobs import silver
from jobs.demo import write as demo_write
from pipeline import formats
from pipeline.config.settings import load
from pipeline.deliveries import ingestion_log
from pipeline.formats import samples
from pipeline.lake import gate, tables
from pipeline.runtime.context import Context
from tests.conftest import ROOT, command, configuration, demo_in
from tests.jobs.conftest import rows, versions
from tests.jobs.demo_oracle import (
    array_readings,
    day_readings,
    expected_readings,
    product_of,
    row_readings,
    solar_readings,
)

# `make test-faults` runs these: they rebuild days, or the whole lake.
OPERATIONS = {"verify", "maintain", "withdraw", "replay", "erase"}


@pytest.fixture(scope="module")
def config(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Configuration of this module's copy of the demo lake: its tests run commands on it that change it."""
    return demo_in(tmp_path_factory.mktemp("copy"), demo)


def test_the_demos_gold_tables_equal_what_plain_python_computes(config: Path) -> None:
    context = Context(load(config))
    halves: dict[Any, list[Decimal]] = defaultdict(list)
    days: dict[Any, list[Decimal]] = defaultdict(list)
    product_days: dict[Any, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    product_halves: dict[Any, list[Decimal]] = defaultdict(list)
    for (meter, _), (instant, day, kwh) in expected_readings().items():
        product = product_of(meter, day)
        halves[instant, day].append(kwh)
        days[meter, day].append(kwh)
        product_days[day, product][meter] += kwh
        product_halves[instant, product].append(kwh)

    def electricity(row: dict[str, Any]) -> bool:
        return bool(row["feed"] == "electricity")

    names = ("interval_start", "local_date", "meterpoint_count", "total_kwh")
    assert rows(context, tables.HALF_HOUR, *names, where=electricity) == sorted(
        ((*key, len(values), sum(values).quantize(Decimal("1e-6"))) for key, values in halves.items()), key=repr
    )
    names = ("meter_id", "local_date", "consumption", "intervals_received", "intervals_expected")
    lengths = {date(2021, 3, 28): 46, date(2021, 10, 31): 50}
    assert rows(context, tables.METER_DAY, *names, where=electricity) == sorted(
        (
            (meter, day, sum(values).quantize(Decimal("1e-6")), len(values), lengths.get(day, 48))
            for (meter, day), values in days.items()
        ),
        key=repr,
    )
    names = ("date", "product_display_name", "meterpoint_count", "total_kwh")
    assert rows(context, tables.PRODUCT_DAY, *names) == sorted(
        (
            (*key, len(meters), sum(meters.values(), Decimal()).quantize(Decimal("1e-6")))
            for key, meters in product_days.items()
        ),
        key=repr,
    )
    names = ("interval_start", "product_display_name", "meterpoint_count", "total_kwh", "avg_kwh")
    millionth = Decimal("1e-6")
    assert rows(context, tables.PRODUCT_HALF_HOUR, *names) == sorted(
        (
            (
                *key,
                len(values),
                sum(values).quantize(millionth),
                (sum(values) / len(values)).quantize(millionth, ROUND_HALF_UP),
            )
            for key, values in product_halves.items()
        ),
        key=repr,
    )
    active = rows(context, tables.ACTIVE_AGREEMENTS, "agreement_id")
    assert len(active) == len(samples.METERPOINTS) - 1


def test_the_demos_days_of_the_other_feeds_equal_what_plain_python_computes(config: Path) -> None:
    days: dict[Any, list[Decimal]] = defaultdict(list)
    for (feed, meter, direction, _), (day, kwh) in {
        **solar_readings(),
        **array_readings(),
        **row_readings(),
        **day_readings(),
    }.items():
        days[feed, meter, direction, day].append(kwh)
    names = ("feed", "meter_id", "direction", "local_date", "consumption", "intervals_received")
    of_these = {"solar", "vilnius", "berlin", "leeds"}
    found = rows(Context(load(config)), tables.METER_DAY, *names, where=lambda row: row["feed"] in of_these)
    assert found == sorted(
        ((*key, sum(values).quantize(Decimal("1e-6")), len(values)) for key, values in days.items()), key=repr
    )
    assert {25, 50, 100, 23, 46, 92} <= {row[-1] for row in found}


def test_the_demos_readings_of_every_format_were_few_enough_for_the_drivers_writer(config: Path) -> None:
    context = Context(load(config))
    held = Counter(row[0] for row in rows(context, tables.READINGS, "file_id"))
    loaded = [each for each in ingestion_log.logged(context) if each.status == "loaded" and each.feed != "reference"]
    assert {feed.format for feed in context.settings.feeds} == {*formats.FORMATS} - {"nem12", "green_button"}
    for delivery in loaded:  # the bound before counting is never too low, and no higher than possible
        most = silver.most_readings(context, delivery)
        # Of a wide row nothing says before that its intervals are no five minutes.
        possible = 26 * 12 if context.settings.feed(delivery.feed).format == "csv" else 100
        assert held[delivery.file_id] <= most <= possible * delivery.rows_read
    commits = gate.opened(context, tables.READINGS).history()
    assert {commit["engineInfo"].partition(":")[0] for commit in commits} == {"delta-rs"}


def test_a_second_demo_finds_nothing_new(config: Path) -> None:
    before = versions(Context(load(config)))
    result = command("demo", config=config)
    assert result.exit_code == 0
    assert "Nothing new" in result.output
    assert versions(Context(load(config))) == before


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


def test_the_samples_hold_both_clock_changes() -> None:
    assert [len(list(samples.local_half_hours(day))) for day in [*samples.SPRING, *samples.AUTUMN]] == [
        48,
        46,
        48,
        48,
        50,
        48,
    ]
    assert timedelta(minutes=30) == samples.HALF_HOUR


def test_the_demo_touches_nothing_where_a_folder_holds_another_delivery(tmp_path: Path) -> None:
    path = configuration(tmp_path)
    real = tmp_path / "data_lake" / "landing" / "gas" / "PN000001.SMRT"
    real.parent.mkdir(parents=True)
    real.write_bytes(b"a real one")
    result = command("demo", config=path)
    assert result.exit_code == 2
    assert "PN000001.SMRT is not one of the demo's deliveries" in result.output
    assert real.read_bytes() == b"a real one"
    assert [each for each in (tmp_path / "data_lake").rglob("*") if each.is_file()] == [real]
    real.rename(real.with_name("PN123456.SMRT"))
    assert command("demo", config=path).exit_code == 2
    assert not (tmp_path / "data_lake" / "landing" / "electricity").exists()


def test_the_demo_knows_its_own_deliveries_again(tmp_path: Path, demo: Path) -> None:
    demo_write(Context(load(demo_in(tmp_path, demo))))
