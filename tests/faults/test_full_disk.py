"""A full disk: one line that says so, nothing lost, and the next run, given room, ends as if there had always been."""

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
    """A folder on a disk of its own, which can be filled and be made larger."""
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
    subprocess.run([shutil.which("mount"), "-o", "remount,size=256m", str(disk)], check=True)


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


DELIVERED = [("PN000001.SMRT", "loaded", None), ("PN000002.SMRT", "loaded", None), ("day.json", "loaded", None)]


def started(folder, lake=None):
    """A place with one small delivery loaded."""
    folder.mkdir(exist_ok=True)
    place = Place(folder, lake)
    place.put("gas/PN000001.SMRT", smrt("PN000001", '"1","20210401","0000",1'))
    place.run()
    return place


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a run with room ends in: readings, gold, rejected rows."""
    place = started(tmp_path_factory.mktemp("undisturbed"))
    deliver(place)
    place.run()
    return ends_in(place)


def ends_in(place):
    return (
        place.readings(),
        place.gold(),
        place.rows("silver.rejected_readings", "meter_id", "reason_code", "row_number"),
    )


@pytest.mark.parametrize("layer", ["bronze", "silver", "gold"])
def test_a_disk_that_is_full_when_a_layer_is_written(disk, tmp_path, undisturbed, layer):
    place = started(tmp_path / "place", disk / "lake")
    deliver(place)
    for before in {"bronze": [], "silver": ["bronze"], "gold": ["bronze", "silver"]}[layer]:
        assert place.call("run", before).code == 0
    fill(disk)
    failed = place.call("run")
    line = one_line(failed)
    assert "disk is full" in line
    assert str(disk) in line
    assert place.log() == DELIVERED[: 1 if layer == "bronze" else 3]
    enlarge(disk)
    place.run()
    assert place.log() == DELIVERED
    assert ends_in(place) == undisturbed
    assert place.run()["files"] == 0


def test_a_disk_without_room_for_a_single_table(disk, tmp_path):
    place = Place(tmp_path, disk / "lake")
    place.put("gas/PN000001.SMRT", smrt("PN000001", '"1","20210401","0000",1'))
    with (disk / "ballast").open("ab") as ballast:
        ballast.write(b"\0" * shutil.disk_usage(disk).free)
    failed = place.call("run")
    line = one_line(failed)
    assert "disk is full" in line
    enlarge(disk)
    place.run()
    assert place.log() == DELIVERED[:1]
