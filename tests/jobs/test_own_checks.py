"""`[[checks]]`: run after gold, kept in ops.checks, told by every place; nothing of them fails a run or writes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from jobs import own_checks, run
from jobs.shared import metrics
from pipeline import attention
from pipeline.config.settings import load
from pipeline.lake import access, tables
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


CLAIMS = Path("ops/ingestion_log")


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


WRONG = {
    "SELECT meter FROM gold.meter_day": "did you mean meter_id",
    "SELECT * FROM gold.meter_dy": "did you mean gold.meter_day",
    "SELECT 1 FROM (": "syntax error",
    "SELECT * FROM gold.meter_day WHERE CAST(concat('x', meter_id) AS DATE) > current_date()": "cast",
}


def test_a_check_whose_sql_fails_is_told_in_one_line_and_fails_neither_the_run_nor_the_others(lake):
    lake.configure(*((f"wrong_{n}", "error", sql) for n, sql in enumerate(WRONG)), (LARGE[0], "warning", LARGE[2]))
    lake.deliver(1, "3")
    done = lake.run("--strict")
    assert done.exit_code == 0, done.output
    *wrong, large = json.loads(done.stdout.splitlines()[-1])["checks"]
    assert [each["rows"] for each in wrong] == [None] * len(WRONG)
    assert large["rows"] == 1
    for each, says in zip(wrong, WRONG.values(), strict=True):
        assert says in each["error"]
        assert len(each["error"].splitlines()) == 1
        assert "000" not in each["error"]  # the meter, which an erasure would not find here
    context = lake.context()
    told = [each.text for each in attention.found(context) if each.kind == "check"]
    assert told[0] == f"Check wrong_0 cannot be run: {wrong[0]['error']}"
    assert len(told) == len(WRONG) + 1
    measured = metrics.text(context).decode()
    assert 'meterlake_check_broken{check="wrong_0"} 1.0' in measured
    assert 'meterlake_check_rows{check="wrong_0"}' not in measured


# Each begins as a query does; what does not is refused by the configuration.
WRITES = [
    "SELECT 1; DROP TABLE silver.readings",
    "SELECT 1) AS x; DROP TABLE silver.readings; SELECT (1",
    "WITH x AS (SELECT 1) INSERT INTO silver.readings SELECT * FROM silver.readings",
    "FROM silver.readings INSERT INTO silver.readings SELECT *",
    "WITH x AS (SELECT 1) DELETE FROM silver.readings",
]


def test_a_check_cannot_write(lake):
    lake.configure(LARGE)
    lake.deliver(1, "3")
    lake.run()
    before = lake.versions()
    lake.configure(*((f"writes_{n}", "error", sql) for n, sql in enumerate(WRITES)))
    done = lake.run()
    assert done.exit_code == 0, done.output
    results = json.loads(done.stdout.splitlines()[-1])["checks"]
    assert [(each["rows"], bool(each["error"])) for each in results] == [(None, True)] * len(WRITES)
    after = lake.versions()
    # A run that writes claims the lake first, in the log's mark.
    assert {table for table in after if after[table] != before[table]} == {Path("ops/checks"), CLAIMS}


def test_results_that_are_lost_do_not_stop_a_run(lake):
    lake.configure(LARGE)
    lake.deliver(1, "1")
    lake.run()
    (lost,) = (lake.folder / "lake" / "ops" / "checks").glob("*.parquet")
    lost.unlink()
    done = lake.run()
    assert (done.exit_code, json.loads(done.stdout.splitlines()[-1])["checks"]) == (0, [])
    assert "ops.checks: 1 data file is missing" in command("status", config=lake.config).stdout


def test_without_checks_there_is_no_table_no_spark_job_and_no_result(lake):
    lake.configure()
    lake.deliver(1, "3")
    done = lake.run()
    assert json.loads(done.stdout.splitlines()[-1])["checks"] == []
    assert not (lake.folder / "lake" / "ops" / "checks").exists()
    context = lake.context()
    context.start_spark()
    before = context.spark_jobs
    assert own_checks.run(context) == []
    assert context.spark_jobs == before


def test_checks_that_were_just_configured_are_no_missing_table(lake):
    lake.configure()
    lake.deliver(1, "3")
    lake.run()
    lake.configure(LARGE)
    assert not [each for each in attention.found(lake.context()) if each.kind in {"check", "missing_table"}]
    assert json.loads(lake.run(verb="status").stdout)["checks"] == []
    lake.run()
    assert [each.text for each in attention.found(lake.context()) if each.kind == "check"] == [
        "Check large found 1 row"
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--check", "larg"), "no check 'larg' (did you mean 'large'?): use large"),
        (("SELECT 1", "--check", "large"), "give a query or --check NAME, one of the two"),
    ],
    ids=str,
)
def test_sql_takes_a_query_or_a_check(lake, arguments, says):
    lake.configure(LARGE)
    found = command("sql", *arguments, config=lake.config)
    assert (found.exit_code, says in found.stderr) == (2, True)


def test_without_checks_sql_says_so(lake):
    lake.configure()
    assert "the configuration has no [[checks]]" in command("sql", "--check", "x", config=lake.config).stderr
