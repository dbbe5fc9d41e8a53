"""The commands of docs/runbook.md run on the demo's lake, with the exit codes and the words that it says of them."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pipeline.formats import sample_arrays
from pipeline.lake import schema_version, tables
from tests import runbook
from tests.conftest import command, demo_in
from tests.jobs.conftest import age_out, put, smrt, split_json

# These write at least a row into ops.runs, also a dry run of replay.
WRITERS = {"run", "maintain", "withdraw", "replay", "erase", "verify"}
WRITING = [each for each in runbook.commands() if each.verb in WRITERS and each.arguments != ["maintain", "--dry-run"]]
READING = [each for each in runbook.commands() if each not in WRITING]
# Their answers depend on a command above or a situation below.
OF_A_STATE = ("ops.erasures", "ops.restatements WHERE")


def ran(each, config, lakes=None):
    """The command's exit code and all that it says."""
    environment = {
        name: str(lakes / Path(value).name) if name == "METERLAKE_LAKE" else value
        for name, value in each.environment.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        result = command(*each.arguments, config=config)
    return result.exit_code, result.output


def is_as_said(each, config, lakes=None):
    code, output = ran(each, config, lakes)
    assert code == each.exit_code, (each.line, output)
    assert [said for said in each.says if not runbook.is_said(said, output)] == [], (each.line, output)
    return output


def different(commands):
    """Each command once, with everything that is said about it anywhere."""
    found = {}
    for each in commands:
        if each.line in found:
            found[each.line].says += each.says
        else:
            found[each.line] = each
    return found.values()


READ_ONCE = [each for each in different(READING) if not any(text in each.line for text in OF_A_STATE)]


@pytest.mark.parametrize("each", READ_ONCE, ids=lambda each: each.line)
def test_a_command_that_reads_answers_what_the_runbook_says(each, demo):
    is_as_said(each, demo)


def test_most_commands_say_something():
    silent = [each.line for each in READING + WRITING if not (each.says or each.may_say)]
    assert len(silent) < len(READING + WRITING) / 8


# --- minutes: they rebuild days, or whole lakes ------------------------------------------------------------------


@pytest.mark.slow
def test_the_commands_that_write_run_one_after_the_other_and_leave_a_sound_lake(demo, tmp_path):
    config = demo_in(tmp_path, demo)
    lake, proved = tmp_path / "data_lake", {}
    shutil.copytree(lake, tmp_path / "moved_lake")  # `cp -a` of the runbook
    after = WRITING + [each for each in READING if any(text in each.line for text in OF_A_STATE)]
    order = {each.line: n for n, each in enumerate(runbook.commands())}
    for each in sorted(after, key=lambda each: order[each.line]):
        if each.verb == "verify":  # the longest: once for each lake, when all is done
            proved[each.environment.get("METERLAKE_LAKE")] = each
            continue
        is_as_said(each, config, tmp_path)
    assert len(proved) == 3
    for each in proved.values():
        is_as_said(each, config, tmp_path)


TWO_MORE_FEEDS = """
[[feeds]]
name = "nmi"
format = "nem12"
path = "{landing}/nmi"
time_zone = "+10:00"

[[feeds]]
name = "shop"
format = "csv"
path = "{landing}/shop"
interval_minutes = 30

[feeds.csv]
meter = "MPRN"
timestamp = "Start"
timestamp_format = "yyyy-MM-dd HH:mm"
value = "kWh"
direction = {{ column = "Read Type", import = ["I"], export = ["E"] }}
"""


@pytest.fixture(scope="module")
def situations(demo, tmp_path_factory):
    """Everything that the program says if something is wrong, and the results."""
    said: list[str] = []
    config = demo_in(tmp_path_factory.mktemp("wrong"), demo)
    text = config.read_text().replace('format = "split_json"', 'format = "split_json"\nmax_consumption = 100')
    lake = config.parent / "data_lake"
    config.write_text(text + TWO_MORE_FEEDS.format(landing=lake / "landing"))
    for folder in ("nmi", "shop"):
        (lake / "landing" / folder).mkdir()
    landing, lock, database = lake / "landing", lake / "_meterlake.lock", lake / "landing" / "reference.db"

    def does(code, *arguments):
        result = command(*arguments, config=config)
        assert result.exit_code == code, result.output
        said.append(result.output)
        return result

    holder = {"run_id": "0123456789ab", "command": "run", "process": 4711, "host": "node"}
    with lock.open("w") as held:
        json.dump(holder, held)
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        does(4, "run")
    lock.write_text(json.dumps(holder))
    does(0, "run")  # the run that wrote its name into the file is gone
    rows = ['"001","20210230","0000",1.0', '"001","20210401","0000"', '"001","20210401","0000",1.0']
    rows.append('"001","99991231","2300",1.0')
    put(landing / "gas", "PN000005.SMRT", smrt("PN000005", *rows))
    halves = ["2021-04-01 00:00:00", "m1", "1"], ["2021-04-01 00:30:00", "m1", "4294967.295"]
    put(landing / "electricity", "today.json", split_json(*halves), 24 * 60)
    put(landing / "nmi", "day.csv", f"100,NEM12\n200,1,X1,,X1,,,kWh,30\n300,20210401{',1' * 48},A\n900\n".encode())
    put(landing / "shop", "day.csv", b"MPRN,Read Type,Start,kWh\n1,X,2021-04-01 00:00,1\n")
    does(0, "run", "--from", "2021-04-02", "--to", "2021-04-03")  # the other file is older
    put(landing / "vilnius", "gap.parquet", _a_value_in_the_gap())
    does(0, "run")
    does(0, "status")
    does(0, "rejected")
    does(2, "maintain", "--retention-hours", "24")
    database.rename(landing / "away.db")
    does(1, "run")
    does(0, "status")
    (landing / "away.db").rename(database)
    does(0, "run")
    stands = json.loads(does(0, "status", "--json").stdout)["refused"]
    lost = Path(DeltaTable(str(lake / "silver" / "readings")).file_uris()[0])
    lost.rename(lost.with_suffix(".away"))
    does(0, "status")
    lost.with_suffix(".away").rename(lost)
    _other_hands(lake, lambda: does(1, "run"))
    # Rows that are lost in bronze, and a day in gold.
    DeltaTable(str(lake / "bronze" / "gas")).delete("file_id = 2")
    DeltaTable(str(lake / "gold" / "meter_day")).delete("feed = 'electricity' AND local_date = '2021-03-28'")
    does(1, "verify")
    newer = {schema_version.PROPERTY: "99"}
    DeltaTable(str(lake / "ops" / "ingestion_log")).alter.set_table_properties(newer, raise_if_not_exists=False)
    does(1, "status")
    return said, stands


def _other_hands(lake, refused):
    """What others do to the lake; a run reports each and then it is repaired."""
    for table in (lake / "ops" / "ingestion_log", lake / "bronze" / "gas"):
        table.rename(lake / "away")
        refused()
        (lake / "away").rename(table)
    cells = DeltaTable(str(lake / "gold" / "meter_day"))
    newest = cells.version()
    cells.delete()
    refused()
    cells.restore(newest)
    cells.restore(1)
    refused()
    cells.restore(newest)
    readings = lake / "silver" / "readings"
    shutil.copytree(readings, lake / "kept")
    age_out(readings)
    refused()
    shutil.rmtree(readings)
    (lake / "kept").rename(readings)


def _a_value_in_the_gap():
    return sample_arrays._parquet([("northern", date(2021, 3, 28), "VNO-0009", [100] * 24)])


ELSEWHERE = [
    said
    for part in ("What to do first", "Alerts", "Rows", "Operations")
    for each in runbook.commands(runbook.parts()[part])
    for said in each.may_say
]


@pytest.mark.slow
@pytest.mark.parametrize("said", ELSEWHERE)
def test_what_another_lake_may_say_is_what_is_said(said, situations):
    assert any(runbook.is_said(said, output) for output in situations[0])


@pytest.mark.slow
def test_a_database_that_comes_back_as_it_was_ends_its_refusal(situations):
    assert "reference" not in {each["feed"] for each in situations[1]}


@pytest.mark.slow
def test_lost_layers_are_rebuilt_and_a_restored_table_after_it_was_moved_away(demo, tmp_path):
    config = demo_in(tmp_path, demo)
    lake = tmp_path / "data_lake"
    whole = {name: _rows(lake, name) for name in ("silver/readings", "gold/meter_day", "gold/missing_intervals")}
    for layer in ("gold", "silver"):
        shutil.rmtree(lake / layer)
        said = " ".join(command("status", config=config).output.split())
        assert len(re.findall(rf"{layer}\.\w+ is missing; the next run rebuilds it main\.py run", said)) >= 5
        assert command("run", config=config).exit_code == 0
        assert {name: _rows(lake, name) for name in whole} == whole
    # By Delta's own means, to a version that was empty.
    cells = lake / "gold" / "meter_day"
    DeltaTable(str(cells)).restore(0)
    assert _refused(config, "gold.meter_day")
    cells.rename(tmp_path / "restored")
    assert command("run", config=config).exit_code == 0
    assert {name: _rows(lake, name) for name in whole} == whole
    # Bronze put back, and forth again.
    gas = DeltaTable(str(lake / "bronze" / "gas"))
    newest, rows = gas.version(), gas.count()
    gas.restore(0)
    assert _refused(config, "bronze.gas")
    gas.restore(newest)
    assert DeltaTable(str(lake / "bronze" / "gas")).count() == rows
    assert "Nothing new" in command("run", config=config).output


def _refused(config, table):
    result = command("run", config=config)
    said = f"{table} was RESTOREd to a state before its progress; nothing was written: docs/runbook.md, 'A table was restored'"
    return result.exit_code == 1 and said in " ".join(result.output.split())


def _rows(lake, name):
    every = {f"{each.layer}/{each.name}": each for each in (tables.READINGS, tables.METER_DAY, tables.MISSING)}
    kept = [*every[name].key, *({"consumption"} & {*every[name].names})]
    found = DeltaTable(str(lake / name)).to_pyarrow_table().to_pylist()
    return sorted((tuple(row[column] for column in kept) for row in found), key=repr)
