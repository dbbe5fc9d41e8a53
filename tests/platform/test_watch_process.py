"""`watch` as a separate process: batch after batch in one session, and a stop that waits for the running batch."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.lake import access, tables
from tests.faults.a_lake import ROOT, Lake, environment, with_history
from tests.jobs.conftest import put, smrt

pytestmark = pytest.mark.slow
SECONDS = 240


class Watch:
    """A running watch, and its output so far."""

    def __init__(self, folder):
        self.said = []
        self.errors = (folder / "watch.err").open("w")
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "main.py"), "watch", "--json", "--config", "meterlake.toml"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        os.set_blocking(self.process.stdout.fileno(), False)

    def batches(self, number):
        """Wait until so many batches are done; what they say."""
        self.until(lambda: len(self.said) >= number)
        return self.said

    def events(self):
        """The events logged so far, by name."""
        self.errors.flush()
        lines = Path(self.errors.name).read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def until(self, true):
        """Wait for it, for some minutes at most."""
        deadline = time.monotonic() + SECONDS
        while not true():
            assert time.monotonic() < deadline, self.events()[-5:]
            assert self.process.poll() is None, self.events()[-5:]
            time.sleep(0.05)
            while line := self.process.stdout.readline():
                self.said.append(json.loads(line))

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


@pytest.fixture
def lake_with_deliveries(spark, tmp_path):
    with_history(tmp_path)
    return Lake(tmp_path)


@pytest.fixture
def watch(lake_with_deliveries):
    running = Watch(lake_with_deliveries.folder)
    yield running
    running.end()


def arrives(lake_with_deliveries, name, energy):
    """A delivery that is moved into the landing folder whole."""
    delivery = smrt(name, f'"000000009","20210105","0000",{energy}')
    put(lake_with_deliveries.folder / "gas", f".{name}.part", delivery).rename(
        lake_with_deliveries.folder / "gas" / f"{name}.SMRT"
    )


def test_the_readme_calls_it_as_this_test_does():
    assert ".venv/bin/python main.py watch " in (ROOT / "README.md").read_text()


def test_deliveries_are_loaded_as_they_arrive_and_a_stop_waits_for_the_batch_at_work(lake_with_deliveries, watch):
    # What is already waiting, then one more delivery, then one whose batch is running when the signal comes.
    assert watch.batches(1)[0]["status"]["loaded"] > 0
    arrives(lake_with_deliveries, "PN000901", "1.5")
    assert watch.batches(2)[1]["rows_merged"] == 1
    arrives(lake_with_deliveries, "PN000902", "2.5")
    watch.until(lambda: [event["event"] for event in watch.events()].count("deliveries") == 4)
    watch.process.send_signal(signal.SIGTERM)
    watch.until(lambda: "stopping" in [event["event"] for event in watch.events()])
    watch.process.wait(SECONDS)
    assert watch.process.returncode == 0
    assert watch.events()[-1] | {"ts": "", "run_id": ""} == {
        "ts": "", "level": "info", "run_id": "", "event": "stopped", "batches": 3,
    }  # fmt: skip
    context = lake_with_deliveries.context()
    current = {
        row["meter_id"]: row["consumption"]
        for row in access.small_rows(context, tables.METER_DAY, ["meter_id", "consumption"])
    }
    assert str(current["000000009"]) == "2.500000"
    logged = access.small_rows(context, tables.INGESTION_LOG, ["file_name", "status"])
    assert [row["status"] for row in logged if row["file_name"] in {"PN000901.SMRT", "PN000902.SMRT"}] == ["loaded"] * 2
    # Nothing was left behind: the next run finds the lock free and no data to write.
    before = lake_with_deliveries.versions()
    lake_with_deliveries.run()
    assert lake_with_deliveries.versions() == before


def test_a_signal_while_it_waits_ends_it_at_once_though_its_jvm_is_large(lake_with_deliveries, watch):
    watch.batches(1)
    time.sleep(2)  # it polls every second
    began = time.monotonic()
    watch.process.send_signal(signal.SIGTERM)
    assert watch.process.wait(SECONDS) == 0
    assert time.monotonic() - began < 5
    assert [event["event"] for event in watch.events()][-1] == "stopped"
    lake_with_deliveries.run()  # the lock is free, though the JVM may still be ending


ENDED_AND_LARGER = """
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.runtime.context import Context
context = Context(Settings(lake="lake", feeds=(Feed(name="gas", format="smrt", path="."),)), stays=True)
heaps = [(context.spark.range(3).count(), context.spark.conf.get("spark.driver.memory"))]
later = context.next_run()
later.end_spark()
later.largest_bytes = 100_000_000
heaps.append((later.spark.range(4).count(), later.spark.conf.get("spark.driver.memory")))
later.end_spark()
print(heaps)
"""


def test_a_session_that_is_too_small_is_ended_with_its_jvm_and_the_next_is_larger(tmp_path):
    said = subprocess.run(
        [sys.executable, "-c", ENDED_AND_LARGER],
        cwd=tmp_path,
        env=environment() | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    ).stdout
    (small, heap), (large, larger) = ast.literal_eval(said.splitlines()[-1])
    assert (small, large) == (3, 4)
    assert int(larger.removesuffix("m")) > int(heap.removesuffix("m"))
