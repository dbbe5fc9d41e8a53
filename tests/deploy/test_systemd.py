"""The systemd units, by systemd's own analysis; their commands and the harshest of their rules are tried."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import demo_in
from tests.deploy.tools import DEPLOY, ROOT, accepted, done, environment, needs

UNITS = DEPLOY / "systemd"
SERVICES = ["meterlake.service", "meterlake-maintain.service", "meterlake-verify.service", "meterlake-api.service"]
OF_THE_MACHINE = Path("/lib/systemd/system")
# As `systemd-analyze calendar` gives an instant where the machine's zone is UTC.
INSTANT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")
# What MemoryDenyWriteExecute asks of the kernel (PR_SET_MDWE), for a command and what it starts; and whether it holds.
WITHOUT_NEW_CODE = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
IS_REFUSED = """
import mmap
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
except OSError:
    print("refused")
"""

pytestmark = [
    pytest.mark.deploy,
    needs("systemd-analyze", "it belongs to systemd"),
    pytest.mark.skipif(
        not OF_THE_MACHINE.is_dir(), reason=f"no {OF_THE_MACHINE} on this machine: it belongs to systemd"
    ),
]


def unit(name):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(UNITS / name)
    return parser


@pytest.fixture
def machine(tmp_path):
    """The root of a machine on which the units are installed as meterlake.service says."""
    root = tmp_path / "root"
    shutil.copytree(OF_THE_MACHINE, root / OF_THE_MACHINE.relative_to("/"), symlinks=True)
    units = root / "etc/systemd/system"
    units.mkdir(parents=True)
    for path in UNITS.iterdir():
        shutil.copy(path, units)
    command = root / "opt/meterlake/bin/meterlake"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    return root


def verified(machine):
    paths = sorted((machine / "etc/systemd/system").glob("meterlake*"))
    assert len(paths) == 7
    ended = done("systemd-analyze", "verify", f"--root={machine}", *paths)
    return ended.returncode, ended.stdout + ended.stderr


def test_systemd_verifies_every_unit_and_would_have_said_what_is_wrong(machine):
    assert verified(machine) == (0, "")
    path = machine / "etc/systemd/system/meterlake.service"
    path.write_text(path.read_text().replace("ProtectHome=", "ProtectHomes="))
    assert "Unknown key 'ProtectHomes'" in verified(machine)[1]
    (machine / "opt/meterlake/bin/meterlake").unlink()
    assert "meterlake is not executable" in verified(machine)[1]


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_runs_as_its_user_and_exposes_little(machine, name):
    service = unit(name)["Service"]
    assert service["User"] == service["Group"] == "meterlake"
    # In tenths: exposure above 2.0 fails. A service without any rule has 9.6, "UNSAFE".
    report = accepted("systemd-analyze", "security", "--offline=true", "--threshold=20", f"--root={machine}", name)
    assert "Overall exposure level" in report


@pytest.mark.parametrize(
    ("name", "since", "instants"),
    [
        ("meterlake.timer", "2026-03-28T12:00", ["2026-03-29 07:00:00", "2026-03-30 07:00:00"]),
        ("meterlake.timer", "2026-10-24T00:00", ["2026-10-24 07:00:00", "2026-10-25 08:00:00"]),
        ("meterlake-maintain.timer", "2026-03-23T00:00", ["2026-03-29 02:00:00", "2026-04-05 02:00:00"]),
        ("meterlake-maintain.timer", "2026-10-19T00:00", ["2026-10-25 03:00:00", "2026-11-01 03:00:00"]),
        ("meterlake-verify.timer", "2026-03-28T12:00", ["2026-03-29 03:00:00", "2026-03-30 03:00:00"]),
        ("meterlake-verify.timer", "2026-10-24T12:00", ["2026-10-25 04:00:00", "2026-10-26 04:00:00"]),
    ],
)
def test_each_timer_elapses_at_its_hour_in_london(name, since, instants):
    calendar = unit(name)["Timer"]["OnCalendar"]
    base = f"--base-time={datetime.fromisoformat(since).replace(tzinfo=UTC):%Y-%m-%d %H:%M:%S} UTC"
    output = accepted("systemd-analyze", "calendar", "--iterations=2", base, calendar, env=environment(TZ="UTC"))
    assert INSTANT.findall(output) == instants
    # The file says how to check that.
    assert f"systemd-analyze calendar '{calendar}'" in (UNITS / name).read_text()


@pytest.mark.parametrize("name", [name for name in SERVICES if "api" not in name])
def test_the_command_of_a_unit_runs_on_the_demo_lake(demo, tmp_path, name):
    program, *arguments = unit(name)["Service"]["ExecStart"].split()
    assert program == "/opt/meterlake/bin/meterlake"
    config = str(demo_in(tmp_path, demo))
    output = accepted(
        sys.executable, ROOT / "main.py", *arguments, env=environment(METERLAKE_CONFIG=config), cwd=tmp_path
    )
    assert json.loads(output)


def test_the_api_serves_where_no_memory_becomes_code(demo):
    service = unit("meterlake-api.service")["Service"]
    assert service["MemoryDenyWriteExecute"] == "yes"
    if accepted(sys.executable, "-c", WITHOUT_NEW_CODE, sys.executable, "-c", IS_REFUSED).strip() != "refused":
        pytest.skip("this kernel cannot deny memory that is written and executed")
    command = [sys.executable, "-c", WITHOUT_NEW_CODE, sys.executable, str(ROOT / "main.py")]
    command += [*service["ExecStart"].split()[1:], "--port", "0"]
    output = environment(METERLAKE_CONFIG=str(demo))
    served = subprocess.Popen(command, env=output, stdout=subprocess.PIPE, text=True, cwd=demo.parent)
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+", served.stdout.readline())[0]
        end = time.monotonic() + 60
        for question in (
            "/readyz",
            "/meters?limit=3",
            "/aggregates/feed-day?from=2021-03-28&to=2021-03-30",
            "/metrics",
        ):
            with urlopen(address + question, timeout=max(1, end - time.monotonic())) as answer:
                assert answer.status == 200
    finally:
        served.terminate()
        served.communicate(timeout=30)
