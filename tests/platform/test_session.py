"""A session that does not start leaves nothing behind: the same process starts the next one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.faults.a_lake import ROOT, environment

pytestmark = pytest.mark.slow
SCRIPT = """
import sys
from pathlib import Path
from pipeline.runtime import session
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.errors import LakeError

events = Path(sys.argv[1])
feeds = (Feed(name="gas", format="smrt", path="unused"),)
settings = Settings(feeds=feeds, spark={"spark.eventLog.enabled": "true", "spark.eventLog.dir": events.as_uri()})
try:
    session.build(settings)
except LakeError as problem:
    print(problem)
events.mkdir()
running = session.build(settings)
print(running.range(3).count())
session.end(running)
"""


def test_a_process_whose_first_session_did_not_start_starts_the_next(tmp_path):
    events = tmp_path / "events"
    command = [sys.executable, "-c", SCRIPT, str(events)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    first, count = done.stdout.splitlines()
    assert "Spark did not start: " in first
    assert "does not exist" in first
    assert count == "3"
