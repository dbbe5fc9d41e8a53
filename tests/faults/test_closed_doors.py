"""Folders without permission: one line says what, where and what to do; after that, the next run is right."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.faults.conftest import one_line
from tests.jobs.conftest import smrt, split_json

pytestmark = pytest.mark.faults
# Permissions do not stop root, so it drops the capabilities that override them.
AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"] if os.geteuid() == 0 else []


@pytest.fixture(autouse=True)
def _needs_setpriv():
    if AS_ANYBODY and not shutil.which("setpriv"):
        pytest.skip("as root this needs setpriv (util-linux)")


@pytest.fixture
def closed():
    """A function that closes a folder or file for writing (or altogether), until the test ends."""
    was = {}

    def close(path, mode=0o555):
        was[path] = path.stat().st_mode
        path.chmod(mode)

    def reopen():
        while was:
            path, mode = was.popitem()
            path.chmod(mode)

    close.reopen = reopen  # type: ignore[attr-defined]
    yield close
    reopen()


def test_a_lake_that_may_not_be_made_is_said_in_one_line(place, closed):
    place.put("gas/PN000001.SMRT", smrt("PN000001", '"1","20210401","0000",1'))
    place.lake.mkdir()
    closed(place.lake)
    line = one_line(place.call("run", before=AS_ANYBODY))
    assert "permission denied" in line
    assert str(place.lake) in line
    assert list(place.lake.iterdir()) == []


def test_a_log_that_may_not_be_read_is_said_in_one_line(place, closed):
    place.run()
    log = place.lake / "ops" / "ingestion_log" / "_delta_log"
    closed(log, 0)
    for command in (["run"], ["status"], ["files"]):
        line = one_line(place.call(*command, before=AS_ANYBODY))
        assert "permission denied" in line
        assert str(log.parent) in line


def test_a_landing_folder_that_may_not_be_read_is_said_in_one_line(place, closed):
    closed(place.folder / "landing" / "gas", 0)
    done = place.call("run", before=AS_ANYBODY)
    assert done.code == 2
    (line,) = done.said
    assert "feed 'gas'" in line
    assert "Permission denied" in line


def test_tables_that_may_not_be_written_are_written_by_the_run_that_may(place, closed):
    secret = place.put("electricity/secret.json", split_json(["2021-01-01 01:00:00", "m1", "2"]))
    place.put("electricity/day.json", split_json(["2021-01-01 00:00:00", "m1", "1"]))
    place.put("gas/PN000001.SMRT", smrt("PN000001", '"1","20210401","0000",1'))
    closed(secret, 0)
    place.run()  # the tables, as root or their owner
    readings = place.lake / "silver" / "readings"
    before = place.readings()
    place.put("gas/PN000002.SMRT", smrt("PN000002", '"1","20210401","0000",2'))
    for path in (readings, readings / "_delta_log", *readings.glob("feed=*"), *readings.glob("feed=*/*")):
        closed(path)
    line = one_line(place.call("run", before=AS_ANYBODY))
    assert "permission denied" in line
    assert str(readings) in line
    assert place.readings() == before
    closed.reopen()
    place.run()
    assert place.log().count(("PN000002.SMRT", "loaded", None)) == 1
    assert [row[3:] for row in place.readings() if row[0] == "gas"] == [(2, 2)]
