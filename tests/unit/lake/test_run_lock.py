"""One writer at a time on a lake: the second learns who the first is, and a dead one holds nothing."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.errors import BusyLakeError, LakeError
from pipeline.lake import run_lock
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log

HOLD = """
import sys
from pipeline.lake import run_lock
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
settings = Settings(lake=sys.argv[1], feeds=(Feed(name="gas", format="smrt", path="gas"),))
with run_lock.held(Context(settings, run_id="first", log=Log("", quiet=True)), "run"):
    print("held", flush=True)
    sys.stdin.read()
"""

HOLD_WITH_A_CHILD = (
    HOLD.replace(
        "    print",
        """    import subprocess
    subprocess.Popen(["cat"], stdin=int(sys.argv[2]), stdout=subprocess.DEVNULL, pass_fds=(CONTEXT.lock,))
    print""",
    )
    .replace("with run_lock.held(Context(", "CONTEXT = Context(")
    .replace("quiet=True)), ", "quiet=True))\nwith run_lock.held(CONTEXT, ")
)


def context(lake, said=None):
    settings = Settings(lake=str(lake), feeds=(Feed(name="gas", format="smrt", path="gas"),))
    log = Log("", stream=said) if said is not None else Log("", quiet=True)
    return Context(settings, run_id="second", log=log)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lake."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lake")],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()


def test_a_second_run_says_who_holds_the_lake(holder, tmp_path):
    with pytest.raises(BusyLakeError) as busy, run_lock.held(context(tmp_path / "lake"), "run"):
        pass
    assert f"`run` (run first, process {holder.pid} on" in str(busy.value)
    assert busy.value.exit_code == 4
    # The next one gets the same message: a run that was turned away did not clear the file.
    with (
        pytest.raises(BusyLakeError, match=f"process {holder.pid} on"),
        run_lock.held(context(tmp_path / "lake"), "run"),
    ):
        pass


def test_a_run_that_waits_takes_the_lake_when_it_is_free(holder, tmp_path):
    said = io.StringIO()
    waiting = context(tmp_path / "lake", said)
    waiting.log.info = lambda event, **facts: (said.write(json.dumps([event, facts])), holder.stdin.close())
    with run_lock.held(waiting, "run", wait_seconds=60):
        assert waiting.lock is not None
    assert '["waiting for another run", {"seconds": 60, "holder_run_id": "first"' in said.getvalue()


def test_a_run_that_was_killed_holds_nothing_and_the_next_one_says_so(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    said = io.StringIO()
    with run_lock.held(context(tmp_path / "lake", said), "run"):
        pass
    (line,) = said.getvalue().splitlines()
    assert json.loads(line)["event"] == "a run before this one was killed"
    assert json.loads(line)["holder_run_id"] == "first"
    with run_lock.held(context(tmp_path / "lake", said), "run"):
        pass
    assert len(said.getvalue().splitlines()) == 1


def test_a_run_that_fails_gives_the_lake_back_and_was_not_killed(tmp_path):
    said = io.StringIO()
    with pytest.raises(LakeError), run_lock.held(context(tmp_path / "lake"), "run"):
        raise LakeError("here", "is broken")
    with run_lock.held(context(tmp_path / "lake", said), "run"):
        pass
    assert said.getvalue() == ""


def test_a_jvm_that_outlives_its_killed_run_still_holds_the_lake(tmp_path):
    # The JVM may still commit what it began. Here a child process that copies its input stands in for it and inherits
    # the lock.
    ours, its = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_WITH_A_CHILD, str(tmp_path / "lake"), str(ours)],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=(ours,),
    )
    os.close(ours)
    assert process.stdout.readline() == "held\n"
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()
    with pytest.raises(BusyLakeError), run_lock.held(context(tmp_path / "lake"), "run"):
        pass
    os.close(its)  # the child's input ends, and so does the child
    with run_lock.held(context(tmp_path / "lake"), "run", wait_seconds=60):
        pass


def test_a_folder_that_cannot_be_made_is_said_in_a_line(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(LakeError, match="cannot be written: Not a directory"),
        run_lock.held(context(tmp_path / "file" / "lake"), "run"),
    ):
        pass


def test_a_lake_that_is_no_folder_is_not_locked():
    with run_lock.held(context("s3a://bucket/lake"), "run"):
        pass
