"""A lake and its landing folders in Google's store: the connector's writes by Spark, delta-rs's by the driver."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from functools import partial

import pytest

from pipeline.runtime import fetch_jars
from tests.cluster import faulty_store
from tests.cluster.faulty_store import DENIED, SLOW_DOWN, UNAUTHORISED
from tests.cluster.google import VARIABLE, Google, GoogleLake, connector, lake_in
from tests.cluster.servers import ROOT, SPARK_HOME, environment, start, stop, until
from tests.cluster.test_cluster import TABLES, rows
from tests.cluster.test_failures_abroad import from_then_on, last_line
from tests.cluster.test_two_writers import (
    SECONDS,
    test_a_run_that_stalls_and_was_overtaken_changes_nothing_more,
    test_of_two_runs_at_once_one_takes_the_delivery,
)
from tests.cluster.without_java import served, told
from tests.conftest import command

__all__ = [
    "test_a_run_that_stalls_and_was_overtaken_changes_nothing_more",
    "test_of_two_runs_at_once_one_takes_the_delivery",
]
pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]
TOTALS = """
SELECT 'feed' AS what, feed AS name, sum(total_kwh) AS kwh, count(*) AS cells FROM gold.total_consumption_half_hour GROUP BY ALL
UNION ALL
SELECT 'product', product_display_name, sum(total_kwh), count(*) FROM gold.consumption_per_product_per_day GROUP BY ALL
ORDER BY ALL
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with closing(Google(tmp_path_factory.mktemp("google"))) as store:
        yield store


@pytest.fixture
def lake(store, tmp_path):
    return lake_in(store, tmp_path, f"google-{time.time_ns()}")


def main(folder, *arguments, config, **more):
    """`main.py`, its standard output as JSON."""
    command = [sys.executable, str(ROOT / "main.py"), *arguments, "--json", "--config", str(config)]
    variables = environment(METERLAKE_JARS=str(fetch_jars.jar_folder().absolute())) | more
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=SECONDS, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_deliveries_of_every_format_and_the_reference_come_from_the_store_and_totals_are_those_of_a_folder(
    store, demo, tmp_path
):
    landing = demo.parent / "data_lake" / "landing"
    bucket = store.bucket(f"demo-{time.time_ns()}")
    files = sorted(path for path in landing.rglob("*") if path.is_file())
    # Of two versions of a file the later one counts, so they come in the order of their times.
    for path in sorted(files, key=lambda path: path.stat().st_mtime_ns):
        store.put(f"gs://{bucket}/landing/{path.relative_to(landing)}", path.read_bytes())
    text = demo.read_text().replace(str(landing), f"gs://{bucket}/landing")
    text = text.replace(f'lake = "{demo.parent / "data_lake"}"', f'lake = "gs://{bucket}/lake"')
    settings = {"spark.master": "local[2]"} | store.settings()
    config = tmp_path / "meterlake.toml"
    config.write_text(text + "[spark]\n" + "".join(f'"{name}" = "{value}"\n' for name, value in settings.items()))
    variables = {VARIABLE: store.account()}
    done = main(tmp_path, "run", config=config, **variables)
    assert done["files"] == len(files)
    for table in TABLES:
        assert rows(f"gs://{bucket}/lake", table, variables) == rows(demo.parent / "data_lake", table), table
    totals = main(tmp_path, "sql", TOTALS, config=config, **variables)
    assert totals == json.loads(command("sql", TOTALS, "--json", config=demo).stdout)
    assert {row["name"] for row in totals} >= {"electricity", "solar", "vilnius", "(no agreement)"}


def test_a_run_by_spark_submit_gets_what_the_connector_needs_too(lake):
    lake.lay()
    jars = [fetch_jars.jar_folder().absolute() / jar.file for jar in fetch_jars.expected_jars()]
    submit = [
        str(SPARK_HOME / "bin" / "spark-submit"),
        "--master",
        "local[1]",
        "--jars",
        ",".join(map(str, [*jars, connector()])),
    ]
    warehouse = f"spark.sql.warehouse.dir={lake.folder}/warehouse"
    for setting in ("spark.sql.shuffle.partitions=2", "spark.databricks.delta.snapshotPartitions=2", warehouse):
        submit += ["--conf", setting]
    log = lake.folder / "submitted.log"
    command = [*submit, str(ROOT / "main.py"), "run", "--config", str(lake.folder / "meterlake.toml")]
    run = start(command, log, **lake.variables)
    try:
        assert run.wait(SECONDS) == 0, log.read_text()[-3000:]
    finally:
        stop(run)
    assert "Failed to write the checksum" not in log.read_text()
    lake.holds_all_once()


@pytest.mark.parametrize(
    "place", ["after write bronze.electricity", "before write ops.ingestion_log", "after write silver.readings"]
)
def test_a_run_that_is_killed_and_run_again_leaves_what_an_undisturbed_one_does(lake, place):
    lake.lay()
    lake.run("first")
    lake.lay()
    assert lake.start("killed", METERLAKE_FAILPOINT=f"kill:{place}").wait(SECONDS) == -signal.SIGKILL, lake.said(
        "killed"
    )
    assert lake.run("again")["run_id"]
    lake.holds_all_once()


def test_of_two_runs_that_saw_the_same_log_one_wins_and_the_other_leaves_with_exit_code_4(lake):
    lake.lay()
    lake.run("first")
    lake.lay()
    names = "one", "other"
    both = [lake.start(name, METERLAKE_FAILPOINT="stop:before claim ops.ingestion_log") for name in names]

    def stopped(run):
        return os.waitpid(run.pid, os.WUNTRACED | os.WNOHANG)[0]

    for name, run in zip(names, both, strict=True):
        until(partial(stopped, run), f"{name} stops before its claim", SECONDS)
    for run in both:
        os.kill(run.pid, signal.SIGCONT)
    codes = [run.wait(SECONDS) for run in both]
    assert sorted(codes) == [0, 4], "".join(lake.said(name) for name in names)
    winner = lake.answer(names[codes.index(0)])
    assert winner["files"] == 1
    lake.holds_all_once()
    assert lake.run("again")["files"] == 0


def test_it_is_looked_at_and_served_without_java(lake):
    lake.lay()
    lake.put("bad.json", "{")
    lake.run("first")
    config = lake.folder / "meterlake.toml"
    assert json.loads(told(config, "status", **lake.variables))["last_run"]["status"] == "succeeded"
    files = json.loads(told(config, "files", **lake.variables))
    assert {row["file_name"]: row["status"] for row in files} == {"001.json": "loaded", "bad.json": "rejected"}
    assert '"001.json"' in told(config, "explain", "m1", "2021-01-04T00:00Z", **lake.variables)
    half_hours = "/aggregates/half-hour?from=2021-01-01&to=2021-02-01"
    with served(config, **lake.variables) as ask:
        assert [row["total_kwh"] for row in ask(half_hours)] == ["1.000000", "0.001000"]
        lake.lay()
        lake.run("second")
        assert [row["total_kwh"] for row in ask(half_hours)] == ["2.000000", "0.001000", "0.002000"]
        assert [row["status"] for row in ask("/files?limit=10")].count("loaded") == 2


def test_a_bucket_that_does_not_exist_is_one_line_and_once_it_is_made_the_run_carries_on(store, tmp_path):
    name = f"forgotten-{time.time_ns()}"
    landing = store.bucket(f"landing-{time.time_ns()}")
    lake = GoogleLake(
        tmp_path, f"gs://{name}/lake", store.settings(), {VARIABLE: store.account()}, landing=f"gs://{landing}/in", store=store
    )  # fmt: skip
    lake.lay()
    for asked in ("run", "status", "files"):
        assert lake.start(asked, asked).wait(SECONDS) == 1, lake.said(asked)
        assert "the store has no such bucket: create it" in last_line(tmp_path / f"{asked}.err")
    store.bucket(name)
    lake.run("made")
    lake.holds_all_once()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (UNAUTHORISED, "the store refuses these credentials"),
        (DENIED, "the store refuses these credentials"),
        (SLOW_DOWN, "the store asks for fewer requests, and all tries were used up"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_a_store_that_refuses_is_one_line_and_the_next_run_carries_on(lake, fault, says):
    lake.lay()
    with faulty_store.before(lake.store.xml_port) as faulty:
        faulty.fault = lambda _method, _path: fault
        refused = {VARIABLE: lake.store.account(faulty.server_port)}
        for asked in ("run", "status"):
            assert lake.start(asked, asked, **refused).wait(SECONDS) == 1, lake.said(asked)
            assert says in last_line(lake.folder / f"{asked}.err")
    lake.run("again")
    lake.holds_all_once()


def test_rights_that_are_taken_away_while_spark_writes_are_one_line_and_the_next_run_carries_on(store, tmp_path):
    with faulty_store.before(store.xml_port) as faulty:
        port = faulty.server_port  # Spark asks there, the driver does not
        bucket = store.bucket(f"denied-{time.time_ns()}")
        lake = GoogleLake(
            tmp_path, f"gs://{bucket}/lake", store.settings(port), {VARIABLE: store.account()},
            landing=f"gs://{bucket}/in", store=store,
        )  # fmt: skip
        lake.lay()
        faulty.fault = from_then_on(DENIED, lambda _method, path: path.startswith("/upload/"))
        assert lake.start("denied").wait(SECONDS) == 1, lake.said("denied")
        assert "the store refuses these credentials" in last_line(tmp_path / "denied.err")
        assert faulty.answered["AccessDenied"]
        faulty.fault = lambda _method, _path: None
        lake.run("again")
    lake.holds_all_once()
