"""The commands of docs/runbook.md run on the demo's lake, with the exit codes and the words that it says of them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pipeline.lake import tables
from tests import runbook
from tests.conftest import command, demo_in

# These write at least a row into ops.runs, also a dry run of replay.
WRITERS = {"run", "maintain", "withdraw", "replay", "erase", "verify"}
WRITING = [each for each in runbook.commands() if each.verb in WRITERS and each.arguments != ["maintain", "--dry-run"]]
READING = [each for each in runbook.commands() if each not in WRITING]
# Their answers depend on another command or on a situation (test_runbook_situations.py).
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
