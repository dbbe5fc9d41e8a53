"""Killed anywhere, and started again, a lake ends in the state of an undisturbed run, every delivery logged once.

Each run that is killed is a real process and ends by signal 9, as by a power cut or the kernel's out-of-memory killer.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess

import pytest

from pipeline.runtime import failpoints
from tests.faults.a_lake import with_history
from tests.jobs.conftest import put, split_json

pytestmark = pytest.mark.faults
SEED = 20210328
MINUTES = 10 * 60
# Every place where a run of this lake can be killed, in order; the first test checks that there are no others.
STEPS = (
    "claim ops.ingestion_log",
    "write bronze.gas",
    "write bronze.electricity",
    "write bronze.agreement",
    "write bronze.product",
    "write bronze.meterpoint",
    "write ops.ingestion_log",
    "write silver.rejected_readings",
    "write silver.agreement",
    "write silver.product",
    "write silver.meterpoint",
    "write silver.readings",
    "write gold.total_consumption_half_hour",
    "write gold.meter_day",
    "write gold.active_agreements",
    "write gold.avg_half_hour_by_product",
    "write gold.consumption_per_product_per_day",
    "write gold.missing_intervals",
    "write ops.restatements",
    "move response",
    "move response#2",
    "write ops.acknowledgements",
    "write ops.runs",
)
PLACES = tuple(f"{when} {step}" for step in STEPS for when in ("before", "after"))


@pytest.fixture(scope="module")
def waiting(spark, tmp_path_factory):
    """A lake with a history and deliveries that wait."""
    return with_history(tmp_path_factory.mktemp("waiting"))


@pytest.fixture(scope="module")
def passed(waiting, tmp_path_factory):
    """(what the tables say after an undisturbed run, the places that it passed)."""
    done = waiting.copied_to(tmp_path_factory.mktemp("undisturbed"))
    names = done.folder / "places"
    with pytest.MonkeyPatch.context() as patch:
        failpoints.forget()
        patch.setenv(failpoints.VARIABLE, f"list:{names}")
        done.run()
    return done.contents(), names.read_text().splitlines()


@pytest.fixture
def lake(waiting, tmp_path):
    """A copy of the waiting lake for one test."""
    return waiting.copied_to(tmp_path)


def killed(lake, place):
    """Run in a separate process that is killed at the place."""
    process = lake.start(f"kill:{place}")
    _, said = process.communicate(timeout=MINUTES)
    assert process.returncode == -signal.SIGKILL, said[-2000:]


def ends_right(lake, expected):
    """The next run ends in the expected state, and the one after it has nothing to do."""
    lake.run()
    found = lake.contents()
    assert found.keys() == expected.keys()
    for table, rows in expected.items():
        assert found[table] == rows, table
    before = lake.versions()
    lake.run()
    assert lake.versions() == before


def test_the_places_are_those_of_a_run_and_no_other(passed):
    assert passed[1] == list(PLACES)


@pytest.mark.parametrize("place", [PLACES[0], *(place for place in PLACES if place.startswith("after"))])
def test_the_next_run_repairs_one_that_was_killed(lake, passed, place):
    killed(lake, place)
    ends_right(lake, passed[0])


@pytest.mark.parametrize("place", [place for place in PLACES if place.startswith("before")])
def test_the_next_run_repairs_one_that_breaks_off_before_a_commit(lake, passed, place, monkeypatch):
    # The lake is as if the process was killed after the previous commit, so it is enough to break off.
    with monkeypatch.context() as patch:
        failpoints.forget()
        patch.setenv(failpoints.VARIABLE, f"raise:{place}")
        with pytest.raises(failpoints.Killed):
            lake.run()
    ends_right(lake, passed[0])


@pytest.mark.parametrize("number", range(20))
def test_a_run_that_is_killed_at_any_time_is_repaired_by_the_next(lake, passed, number, how_long):
    dice = random.Random(f"{SEED}-{number}")
    process = lake.start()
    try:
        process.wait(timeout=how_long * dice.random())
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate(timeout=MINUTES)
    ends_right(lake, passed[0])


@pytest.fixture(scope="module")
def how_long(waiting, tmp_path_factory):
    """Seconds that an undisturbed run takes as a process."""
    lake = waiting.copied_to(tmp_path_factory.mktemp("timed"))
    before = os.times()
    _, said = (process := lake.start()).communicate(timeout=MINUTES)
    assert process.returncode == 0, said[-2000:]
    return os.times().elapsed - before.elapsed


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("after write bronze.electricity", "after delete bronze.gas"),
        ("after write bronze.meterpoint", "after write ops.ingestion_log"),
        ("after write silver.readings", "after write gold.meter_day"),
    ],
)
def test_a_run_that_is_killed_while_it_repairs_is_repaired_as_well(lake, passed, first, second):
    killed(lake, first)
    killed(lake, second)
    ends_right(lake, passed[0])


@pytest.mark.parametrize(
    "place", ["after write bronze.gas", "after write ops.ingestion_log", "after write gold.total_consumption_half_hour"]
)
def test_deliveries_that_come_after_a_kill_are_loaded_as_if_nothing_had_been(lake, passed, place, tmp_path_factory):
    late = ("3.json", split_json(["2021-01-04 00:00:00", "m1", 16], ["2021-01-06 00:00:00", "m3", 32]), 20)
    undisturbed = lake.copied_to(tmp_path_factory.mktemp("with_late"))
    put(undisturbed.folder / "electricity", *late)
    undisturbed.run()
    expected = undisturbed.contents()
    killed(lake, place)
    put(lake.folder / "electricity", *late)
    lake.run()
    found = lake.contents()
    # If the late delivery is in a separate batch, the value in between was published and is restated too.
    assert {name: rows for name, rows in found.items() if name != "ops.restatements"} == {
        name: rows for name, rows in expected.items() if name != "ops.restatements"
    }
