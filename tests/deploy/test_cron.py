"""The lines for cron: their times by cron's own rules, their commands by sh and flock."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import demo_in
from tests.deploy.tools import DEPLOY, asked, done, environment, installed

pytestmark = pytest.mark.deploy
TEXT = (DEPLOY / "cron" / "meterlake.cron").read_text()
LINE = re.compile(r"(?P<times>\S+ \S+ \S+ \S+ \S+)\s+(?P<user>[a-z]+)\s+(?P<command>\S.*)")
LONDON = ZoneInfo("Europe/London")
FIRINGS = """
import json, sys
from datetime import datetime, timezone
from itertools import takewhile
from cronsim import CronSim
start, end = (datetime.fromisoformat(text) for text in sys.argv[2:])
print(json.dumps([at.timestamp() for at in takewhile(lambda at: at < end, CronSim(sys.argv[1], start))]))
"""
DELIVERY = '{"columns": ["interval_start", "meterpoint_id", "consumption_delta"], "data": [["2021-05-04 00:00:00", "m1", "0.125"]]}'


def lines():
    """(times, user, command as sh gets it) of each line that is no comment and no variable."""
    rows = [row for row in TEXT.splitlines() if row and not row.startswith("#") and not re.match(r"[A-Z_]+=", row)]
    for row in rows:
        found = LINE.fullmatch(row)
        assert found, row
        # cron makes a new line of each % that has no backslash before it.
        assert not re.search(r"(?<!\\)%", found["command"]), row
        yield found["times"], found["user"], found["command"].replace("\\%", "%")


def variables():
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", TEXT, re.MULTILINE))


def put(folder, name, text):
    """A command of that name, in front of the machine's own."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def of(kind):
    (found,) = [line for line in lines() if f"meterlake {kind} " in line[2]]
    return found


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("run", lambda at: at.hour == 8),
        ("maintain", lambda at: at.isoweekday() == 7 and at.hour == 3),
        ("verify", lambda at: at.hour == 4),
    ],
)
@pytest.mark.parametrize(("first", "days"), [("2026-03-27", 4), ("2026-10-23", 4)])
def test_each_line_acts_at_its_hour_in_london_also_when_the_clocks_change(tmp_path, kind, expected, first, days):
    times, user, command = of(kind)
    assert user == "meterlake"
    # A fake flock records that the line acted; the clock shows the time of the firing.
    put(tmp_path / "bin", "flock", "echo acted")
    put(tmp_path / "bin", "date", f'exec {shutil.which("date")} -d "@$NOW" "$@"')
    start = datetime.fromisoformat(f"{first}T00:00:00+00:00")
    firings = asked(FIRINGS, times, start.isoformat(), (start + timedelta(days=days)).isoformat())
    acted = []
    for at in firings:
        path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
        ended = done("/bin/sh", "-c", command, env={"PATH": path, "HOME": str(tmp_path), "NOW": str(int(at))})
        assert (ended.returncode, ended.stderr) == (0, "")
        if ended.stdout:
            acted.append(datetime.fromtimestamp(at, LONDON))
    wanted = [start + timedelta(minutes=m) for m in range(days * 1440)]
    wanted = [at.astimezone(LONDON) for at in wanted if at.minute == 0 and expected(at.astimezone(LONDON))]
    assert acted == wanted
    assert acted


def test_a_second_line_is_refused_while_the_first_is_at_work(demo, tmp_path):
    config = demo_in(tmp_path, demo)
    (tmp_path / "data_lake/landing/electricity/later.json").write_text(DELIVERY)
    put(tmp_path / "bin", "date", "echo 08")
    command = of("run")[2]
    said = variables()
    assert said["SHELL"] == "/bin/sh"
    path = f"{tmp_path / 'bin'}:{installed(tmp_path / 'installed')}:{said['PATH']}"
    own = environment(PATH=path, HOME=str(tmp_path), METERLAKE_CONFIG=str(config))
    first = subprocess.Popen(["/bin/sh", "-c", command], env=own, stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + 60
    while not ((tmp_path / "run.log").is_file() and (tmp_path / "run.log").stat().st_size):
        assert first.poll() is None, first.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)
    second = done("/bin/sh", "-c", command, env=own)
    assert second.stdout.startswith("meterlake run ended with 4\n")
    answer, _ = first.communicate(timeout=300)
    assert (first.returncode, answer) == (0, "")
    assert '"files": 1, "status": {"loaded": 1}' in (tmp_path / "run.json").read_text()
    # Nothing is running: the next one is not kept out, has nothing to do, and prints nothing that cron would mail.
    third = done("/bin/sh", "-c", command, env=own)
    assert (third.returncode, third.stdout, third.stderr) == (0, "", "")
    assert '"files": 0' in (tmp_path / "run.json").read_text()


@pytest.mark.parametrize(
    ("kind", "hour", "said"), [("maintain", "703", '"table": "silver.readings"'), ("verify", "04", '"equal": true')]
)
def test_maintenance_and_the_check_run_and_cron_mails_a_failure(demo, tmp_path, kind, hour, said):
    config = demo_in(tmp_path, demo)
    put(tmp_path / "bin", "date", f"echo {hour}")
    path = f"{tmp_path / 'bin'}:{installed(tmp_path / 'installed')}:{variables()['PATH']}"
    own = environment(PATH=path, HOME=str(tmp_path), METERLAKE_CONFIG=str(config))
    ended = done("/bin/sh", "-c", of(kind)[2], env=own)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert said in (tmp_path / f"{kind}.json").read_text()
    ended = done("/bin/sh", "-c", of(kind)[2], env=own | {"METERLAKE_CONFIG": str(tmp_path / "none.toml")})
    assert ended.stdout.startswith(f"meterlake {kind} ended with 2\n")
    assert "no such file" in ended.stdout
