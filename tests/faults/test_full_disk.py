"""A full disk: one line says so, nothing is lost, and the next run with enough space ends as if undisturbed."""

from __future__ import annotations

import os
import shutil
import subprocess
from random import Random

import pytest

from tests.faults.conftest import Place, one_line
from tests.jobs.conftest import smrt, split_json

pytestmark = pytest.mark.faults
LEFT = 150_000  # bytes: room for a commit or two, not for the data


@pytest.fixture
def disk(tmp_path):
    """A folder on a separate disk, which can be filled and enlarged."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    new = [mount, "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or not mount or subprocess.run(new, check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("mounting a small tmpfs needs root (or a container that lets it)")
    yield folder
    subprocess.run([shutil.which("umount"), "--lazy", str(folder)], check=True)


def fill(disk):
    """Leave LEFT bytes."""
    free = shutil.disk_usage(disk).free
    with (disk / "ballast").open("ab") as ballast:
        ballast.write(b"\0" * (free - LEFT))


def enlarge(disk):
    """Double the space, so that it can be filled and enlarged again."""
    size = 2 * shutil.disk_usage(disk).total
    subprocess.run([shutil.which("mount"), "-o", f"remount,size={size}", str(disk)], check=True)


def deliver(place):
    """Deliveries of some megabytes that do not compress to nothing."""
    dice = Random(8)
    meters, days = range(40), range(1, 29)
    hours = [
        f'"{meter}","202104{day:02}","{hour:02}00",{dice.random():.12f}'
        for meter in meters
        for day in days
        for hour in range(24)
    ]
    place.put("gas/PN000002.SMRT", smrt("PN000002", *hours, '"1","20210401","0000",-1'))
    halves = [
        [f"2021-01-{day:02} {hour:02}:30:00", f"m{meter}", dice.random()]
        for meter in meters
        for day in days
        for hour in range(24)
    ]
    place.put("electricity/day.json", split_json(*halves))


DELIVERED = [("PN000002.SMRT", "loaded", None), ("day.json", "loaded", None)]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The result of a run with enough space."""
    place = Place(tmp_path_factory.mktemp("undisturbed"))
    deliver(place)
    place.run()
    return ends_in(place)


def ends_in(place):
    """Readings, gold, rejected rows."""
    rejected = place.rows("silver.rejected_readings", "meter_id", "reason_code", "row_number")
    return place.readings(), place.gold(), rejected


def fails_for_want_of_room(place, disk):
    fill(disk)
    line = one_line(place.call("run"))
    assert "disk is full" in line
    assert str(disk) in line
    enlarge(disk)


def test_a_disk_that_is_full_when_bronze_is_written(disk, tmp_path, undisturbed):
    place = Place(tmp_path, disk / "lake")
    place.run()  # the tables
    deliver(place)
    fails_for_want_of_room(place, disk)
    assert place.log() == []
    place.run()
    assert place.log() == DELIVERED
    assert ends_in(place) == undisturbed


def test_a_disk_that_is_full_when_silver_and_then_gold_is_written(disk, tmp_path, undisturbed):
    place = Place(tmp_path, disk / "lake")
    deliver(place)
    assert place.call("run", "bronze").code == 0
    fails_for_want_of_room(place, disk)
    assert (place.log(), place.readings()) == (DELIVERED, [])
    assert place.call("run", "silver").code == 0
    fails_for_want_of_room(place, disk)
    place.run()
    assert place.log() == DELIVERED
    assert ends_in(place) == undisturbed
    assert place.run()["files"] == 0


def test_a_disk_without_room_for_a_single_table(disk, tmp_path):
    place = Place(tmp_path, disk / "lake")
    place.put("gas/PN000001.SMRT", smrt("PN000001", '"1","20210401","0000",1'))
    with (disk / "ballast").open("ab") as ballast:
        ballast.write(b"\0" * shutil.disk_usage(disk).free)
    assert "disk is full" in one_line(place.call("run"))
    enlarge(disk)
    place.run()
    assert place.log() == [("PN000001.SMRT", "loaded", None)]
