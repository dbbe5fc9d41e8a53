"""`watch` when a batch fails: retried with increasing delays, and given up after five failures in a row."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import Future

import pytest
from deltalake.exceptions import DeltaError

from jobs import run as main_job
from jobs import watch
from jobs.shared.recorded import Outcome
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.deliveries import ingestion_log
from pipeline.errors import LakeError
from pipeline.lake import access, run_lock, tables
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from tests.conftest import ROOT


@pytest.fixture
def context(tmp_path):
    """A run on a lake with one feed, whose folder is there."""
    (tmp_path / "gas").mkdir()
    feed = Feed(name="gas", format="smrt", path=str(tmp_path / "gas"))
    return Context(Settings(lake=str(tmp_path / "lake"), feeds=(feed,)), log=Log("", quiet=True))


def break_the_log(folder):
    """A commit to the log of deliveries that is none; returns its file."""
    log = folder / "lake" / "ops" / "ingestion_log" / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    commit = log / f"{len([*log.glob('*.json')]):020}.json"
    commit.write_text("no commit")
    return commit


def test_a_look_that_fails_is_taken_again_ever_later_and_the_watch_ends_after_five(context, tmp_path, monkeypatch):
    pauses = []

    def sleep(seconds, _):
        if not pauses:
            break_the_log(tmp_path)
        pauses.append(seconds)

    monkeypatch.setattr(watch, "_sleep", sleep)
    with pytest.raises(DeltaError):
        watch.run(context, poll_seconds=1, maintain_every=0, as_json=False)
    assert pauses == [1, 2, 4, 8, 16]


def test_a_fault_that_goes_away_is_forgotten(context, tmp_path, monkeypatch):
    pauses, broken = [], None

    def sleep(seconds, stop):
        nonlocal broken
        pauses.append(seconds)
        if len(pauses) == 1:
            broken = break_the_log(tmp_path)
        if len(pauses) == 3:
            broken.unlink()
        stop.asked = len(pauses) == 5

    monkeypatch.setattr(watch, "_sleep", sleep)
    watch.run(context, poll_seconds=1, maintain_every=0, as_json=False)
    assert pauses == [1, 2, 4, 1, 1]


def test_what_is_wrong_from_the_start_ends_the_watch_at_once(context, tmp_path):
    break_the_log(tmp_path)
    with pytest.raises(DeltaError):
        watch.run(context, poll_seconds=1, maintain_every=0, as_json=False)


def test_a_landing_folder_that_disappears_is_reported_by_a_batch_and_the_watch_goes_on(context, tmp_path):
    at_work = watch._Watch(context, 0, as_json=False)
    at_work.batch()
    (tmp_path / "gas").rmdir()
    at_work.look()
    at_work.look()
    assert (batches(context), at_work.failures) == (2, 0)
    (tmp_path / "gas").mkdir()
    (tmp_path / "gas" / "link.SMRT").symlink_to(tmp_path)
    at_work.look()
    assert batches(context) == 3


def batches(context):
    return len(access.small_rows(context, tables.RUNS, ["run_id"]))


def test_after_a_while_without_news_a_run_says_that_the_watch_lives(context, monkeypatch):
    at_work = watch._Watch(context, 0, as_json=False)
    at_work.batch()
    at_work.look()
    assert batches(context) == 1
    at_work.last_batch -= watch.IDLE_SECONDS
    at_work.look()
    at_work.look()
    assert batches(context) == 2


def test_a_batch_that_another_run_held_up_is_news_still(context, tmp_path):
    at_work = watch._Watch(context, 0, as_json=False)
    at_work.batch()
    (tmp_path / "gas" / "link.SMRT").symlink_to(tmp_path)
    context.lock_file = None
    with run_lock.held(Context(context.settings, log=Log("", quiet=True)), "another"):
        at_work.look()
        assert batches(context) == 1
    at_work.look()
    assert batches(context) == 2


def test_after_so_many_batches_the_tables_are_maintained(context):
    main_job.run(context)
    at_work = watch._Watch(context, 1, as_json=False)
    at_work._maintain()
    commands = access.small_rows(context, tables.RUNS, ["command", "status"])
    assert sorted(row["command"] for row in commands) == ["maintain", "run"]
    assert {row["status"] for row in commands} == {"succeeded"}


def test_a_signal_during_a_batch_is_answered_at_once_and_ends_the_watch_after_it(context, monkeypatch):
    said = io.StringIO()
    context.log = Log("", stream=said)
    batches = []

    def run(context, **_):
        signal.raise_signal(signal.SIGTERM)
        deadline = time.monotonic() + 10
        while "stopping" not in said.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        batches.append([json.loads(line)["event"] for line in said.getvalue().splitlines()])
        return Outcome(context.run_id, context.now)

    monkeypatch.setattr(main_job, "run", run)
    watch.run(context, poll_seconds=60, maintain_every=0, as_json=False)
    assert batches == [["watching", "stopping"]]
    events = [json.loads(line) for line in said.getvalue().splitlines()]
    assert [each["event"] for each in events] == ["watching", "stopping", "stopped"]
    assert events[1]["after"].startswith("the batch at work")


def test_a_signal_while_it_waits_ends_the_process_at_once(context, tmp_path):
    (tmp_path / "w.toml").write_text(
        f'lake = "{tmp_path}/lake"\n[[feeds]]\nname = "gas"\nformat = "smrt"\npath = "{tmp_path}/gas"\n'
    )
    command = [sys.executable, str(ROOT / "main.py"), "watch", "--poll", "0.1", "--config", str(tmp_path / "w.toml")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr:
                if '"event": "done"' in line:
                    break
            time.sleep(0.5)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            said = process.stderr.read()
            assert process.wait(30) == 0
            seconds = time.monotonic() - began
        finally:
            process.kill()
    assert [json.loads(line)["event"] for line in said.splitlines()] == ["stopped"]
    assert seconds < 5


def test_a_session_that_did_not_start_is_tried_again(context):
    failed = Future()
    failed.set_exception(LakeError("session", "Spark did not start"))
    context.__dict__["_starting"], context.owns_spark = failed, True
    assert not context.next_run().has_spark
    context.end_spark()
    assert not context.has_spark


def test_the_log_is_read_once_for_as_long_as_it_stays_as_it_is(context, monkeypatch):
    main_job.run(context)
    ingestion_log.logged(context)
    monkeypatch.setattr(access, "small_rows", None)
    assert ingestion_log.logged(context.next_run().next_run()) == []


def test_a_file_that_is_being_written_is_never_taken_whatever_its_feed_says():
    feeds = (
        Feed(name="gas", format="smrt", path="gas"),
        Feed(name="slow", format="smrt", path="slow", settle_seconds=30),
    )
    settling = watch._settling(Settings(feeds=feeds))
    assert [feed.settle_seconds for feed in settling.feeds] == [1, 30]
