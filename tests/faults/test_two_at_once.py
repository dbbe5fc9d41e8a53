"""Two runs on one lake, and readers beside them: one writes at a time, and a reader sees whole states of a table."""

from __future__ import annotations

import pytest
from deltalake import DeltaTable

from jobs import query
from pipeline.lake import tables
from tests.faults.a_lake import with_history

pytestmark = pytest.mark.faults
MINUTES = 10 * 60
TOTALS = {
    "gold.meter_day": "consumption",
    "gold.total_consumption_half_hour": "total_kwh",
    "gold.consumption_per_product_per_day": "total_kwh",
}


@pytest.fixture(scope="module")
def waiting(spark, tmp_path_factory):
    """A lake with a history and deliveries that wait."""
    return with_history(tmp_path_factory.mktemp("waiting"))


@pytest.fixture(scope="module")
def expected(waiting, tmp_path_factory):
    """The same lake after an undisturbed run."""
    done = waiting.copied_to(tmp_path_factory.mktemp("undisturbed"))
    done.run()
    return done


def totals(lake):
    """Each table's total, as an analyst queries it during a run."""
    return {
        table: query.select(lake.context(), f"SELECT sum({value}) AS total FROM {table}").collect()[0][0]
        for table, value in TOTALS.items()
    }


def test_of_two_runs_one_waits_and_readers_see_each_table_before_or_after(waiting, expected, tmp_path):
    lake = waiting.copied_to(tmp_path)
    allowed = {table: {before, totals(expected)[table]} for table, before in totals(lake).items()}
    runs = [lake.start("", "--wait", str(MINUTES)) for _ in range(2)]
    looks = 0
    while any(process.poll() is None for process in runs):
        seen = totals(lake)
        assert {table for table, total in seen.items() if total not in allowed[table]} == set()
        looks += 1
    said = [process.communicate()[1] for process in runs]
    assert [process.returncode for process in runs] == [0, 0], said
    assert sum("waiting for another run" in each for each in said) == 1
    assert looks > 2
    assert lake.contents() == expected.contents()


def test_a_run_that_does_not_wait_leaves_with_a_code_of_its_own_and_changes_nothing(waiting, expected, tmp_path):
    lake = waiting.copied_to(tmp_path)
    runs = [lake.start(), lake.start()]
    said = [process.communicate(timeout=MINUTES)[1] for process in runs]
    assert sorted(process.returncode for process in runs) == [0, 4]
    loser = next(text for process, text in zip(runs, said, strict=True) if process.returncode == 4)
    last = loser.splitlines()[-1]
    assert last.startswith("meterlake: lake ")
    assert "`run` (run " in last
    assert "is at work on it" in last
    assert lake.contents() == expected.contents()


def test_maintenance_beside_a_run_loses_nothing(waiting, expected, tmp_path):
    lake = waiting.copied_to(tmp_path)
    command = ["--wait", str(MINUTES)]
    runs = [
        lake.start("", *command),
        lake.start("", *command, verb="maintain"),
        lake.start("", *command, verb="maintain"),
    ]
    said = [process.communicate(timeout=MINUTES)[1] for process in runs]
    assert [process.returncode for process in runs] == [0, 0, 0], said
    assert lake.contents() == expected.contents()
    assert DeltaTable(tables.address(lake.context().settings, tables.INGESTION_LOG)).history(1)[0]["userMetadata"]
