"""`[[checks]]`: run after gold, kept in ops.checks, told by every place; when they are run again."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from jobs import run
from jobs.shared import metrics
from pipeline import attention
from pipeline.lake import access, tables
from tests.conftest import command
from tests.jobs.conftest import put
from tests.jobs.own_checks_lake import LARGE, NONE, Lake


@pytest.fixture
def lake(spark, tmp_path):
    return Lake(tmp_path)


def test_what_a_check_finds_is_kept_and_told_by_every_place(lake):
    lake.configure(NONE, LARGE)
    lake.deliver(1, "2", "2.5", "3")
    done = lake.run()
    assert done.exit_code == 0, done.output
    found = [
        {"name": "none", "severity": "error", "rows": 0, "error": None},
        {"name": "large", "severity": "error", "rows": 2, "error": None},
    ]
    assert json.loads(done.stdout.splitlines()[-1])["checks"] == found
    context = lake.context()
    rows = access.small_rows(context, tables.CHECKS, tables.CHECKS.names)
    assert [(row["number"], row["name"], row["rows"]) for row in rows] == [(0, "none", 0), (1, "large", 2)]
    status = json.loads(lake.run(verb="status").stdout)
    assert status["checks"] == found
    (item,) = [each for each in attention.found(context) if each.kind == "check"]
    assert (item.text, item.command) == ("Check large found 2 rows", "main.py sql --check large")
    assert item.since == rows[0]["checked_at"]
    measured = metrics.text(context).decode()
    assert 'meterlake_check_rows{check="large"} 2.0' in measured
    assert 'meterlake_check_rows{check="none"} 0.0' in measured
    assert 'meterlake_check_broken{check="large"} 0.0' in measured
    shown = json.loads(command("sql", "--check", "large", "--format", "json", config=lake.config).stdout)
    assert sorted(row["meter_id"] for row in shown) == ["001", "002"]
    assert "Check large found 2 rows: main.py sql --check large" in command("run", config=lake.config).stdout


def test_rows_of_an_error_are_exit_3_under_strict_until_they_are_gone_and_a_warning_never_is(lake):
    lake.configure(LARGE)
    lake.deliver(1, "3")
    assert lake.run("--strict").exit_code == 3
    assert lake.run("--strict").exit_code == 3  # with nothing new it is still wrong
    assert lake.run().exit_code == 0
    lake.configure((LARGE[0], "warning", LARGE[2]))
    assert lake.run("--strict").exit_code == 0
    lake.configure(LARGE)
    lake.deliver(2, "1")  # a later delivery corrects the reading
    assert lake.run("--strict").exit_code == 0
    assert not [each for each in attention.found(lake.context()) if each.kind == "check"]


def test_a_run_with_nothing_new_keeps_the_results_and_writes_nothing_until_the_day_changes(lake):
    lake.configure(LARGE)
    lake.deliver(1, "3")
    lake.run()
    before = lake.versions()
    context = lake.context()
    first = run.run(context)
    assert [(each.name, each.rows) for each in first.checks] == [("large", 1)]
    assert not context.has_spark
    assert lake.versions() == before
    later = lake.context()
    later.now += timedelta(days=1)
    second = run.run(later)
    assert [(each.name, each.rows) for each in second.checks] == [("large", 1)]
    assert second.checks[0].since == first.checks[0].since
    assert len(access.small_rows(later, tables.CHECKS, ["name"])) == 2


def test_only_a_change_of_what_a_check_reads_runs_it_again_and_not_within_ten_minutes_of_many_runs(lake):
    lake.configure(("months", "warning", "SELECT * FROM gold.feed_month WHERE total_kwh > 100"))
    lake.deliver(1, "3")
    lake.run()
    put(lake.folder / "in", "PN000002.SMRT", b"not SMRT")  # in the log, and not in gold
    before = lake.versions()[Path("ops/checks")]
    assert len(run.run(lake.context()).refused) == 1
    assert lake.versions()[Path("ops/checks")] == before
    lake.deliver(3, "200")  # the view reads gold.meter_day
    soon = lake.context()
    assert [each.rows for each in run.run(soon, command="watch", is_one_of_many=True).checks] == [0]
    late = lake.context()
    late.now = soon.now + timedelta(minutes=10)
    assert [each.rows for each in run.run(late, command="watch", is_one_of_many=True).checks] == [1]
