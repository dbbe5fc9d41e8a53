"""The compose file: by its schema, by what it mounts and where each listens; its schedule, with a clock of the test's."""

from __future__ import annotations

import json
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
import uvicorn
from typer.testing import CliRunner

import main
from pipeline.config.settings import load
from tests.deploy.tools import DEPLOY, ROOT, accepted, asked, done, tool

pytestmark = pytest.mark.deploy
FOLDER = DEPLOY / "container"
LONDON = ZoneInfo("Europe/London")
READ = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))"


@pytest.fixture(scope="module")
def compose():
    return asked(READ, FOLDER / "compose.yaml")


def test_the_compose_file_is_of_the_specification_and_a_wrong_one_would_not_be(tmp_path):
    check = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    accepted(*check, FOLDER / "compose.yaml")
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((FOLDER / "compose.yaml").read_text().replace("mem_limit:", "memory_limit:"))
    assert done(*check, wrong).returncode == 1


def test_every_file_that_is_mounted_is_there(compose):
    mounted = [volume for service in compose["services"].values() for volume in service["volumes"]]
    files = [volume.split(":")[0] for volume in mounted if volume.startswith(".")]
    assert len(files) >= 6
    for file in files:
        assert (FOLDER / file).exists(), file
    named = {volume.split(":")[0] for volume in mounted if re.match(r"[a-z]", volume)}
    assert named == set(compose["volumes"])
    built = compose["x-meterlake"]["build"]
    assert (FOLDER / built["context"]).resolve() == ROOT
    assert (ROOT / built["dockerfile"]).is_file()


def test_each_listens_on_this_machine_where_the_others_look_for_it(compose):
    services = compose["services"]
    listening = set(re.findall(r"--web.listen-address=(\S+)", json.dumps(services).replace('"', " ")))
    settings = load(FOLDER / "meterlake.toml")
    listening.add(f"{settings.api.host}:{settings.api.port}")
    prometheus = asked(READ, DEPLOY / "prometheus/prometheus.yml")
    looked = {
        target for job in prometheus["scrape_configs"] for each in job["static_configs"] for target in each["targets"]
    }
    assert looked | {"127.0.0.1:9090"} == listening
    (source,) = asked(READ, DEPLOY / "grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert services["grafana"]["extra_hosts"] == ["prometheus:127.0.0.1"]
    folder = asked(READ, DEPLOY / "grafana/provisioning/dashboards/meterlake.yml")["providers"][0]["options"]["path"]
    assert any(f":{folder}/" in volume for volume in services["grafana"]["volumes"])
    # The run's measures are written where node-exporter reads.
    assert settings.metrics.textfile == "/var/lib/meterlake/metrics/meterlake.prom"
    assert "lake:/var/lib/meterlake" in services["pipeline"]["volumes"]
    assert "lake:/lake:ro" in services["node-exporter"]["volumes"]
    assert "--collector.textfile.directory=/lake/metrics" in services["node-exporter"]["command"]


# Service -> whether a time of day in London is its, and whether it starts at once.
JOBS = {
    "pipeline": ("run", lambda at: (at.hour, at.minute) == (8, 0), True),
    "maintain": ("maintain", lambda at: (at.isoweekday(), at.hour, at.minute) == (7, 3, 0), False),
    "verify": ("verify", lambda at: (at.hour, at.minute) == (4, 0), False),
}


@pytest.mark.parametrize("service", JOBS)
@pytest.mark.parametrize("start", ["2026-03-27T12:00", "2026-10-23T07:59", "2026-10-24T08:00", "2026-10-25T03:00"])
def test_the_schedule_is_its_hour_in_london_also_when_the_clocks_change(compose, tmp_path, service, start):
    """daily.sh five times: `sleep` moves the clock forward, `date` reads it, `meterlake` notes when it ran and how."""
    command, wanted, at_once = JOBS[service]
    program, *schedule = compose["services"][service]["entrypoint"]
    words = compose["services"][service]["command"]
    assert (program, words[0]) == ("meterlake-daily", command)
    clock, runs = tmp_path / "clock", tmp_path / "runs"
    now = datetime.fromisoformat(start).replace(tzinfo=LONDON)
    clock.write_text(f"{int(now.timestamp())}\n")
    runs.touch()
    real = shutil.which("date")
    scripts = {
        "date": f'case " $*" in *" -d"*) exec {real} "$@";; *) exec {real} -d "@$(cat {clock})" "$@";; esac',
        "meterlake": f'[ "$*" = "{" ".join(words)}" ] && cat {clock} >>{runs}; exit 3',
        "sleep": f'echo $(( $(cat {clock}) + $1 )) >{clock}; [ "$(wc -l <{runs})" -lt 5 ]',
    }
    for name, text in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", **compose["services"][service]["environment"]}
    ended = done(FOLDER / "daily.sh", *schedule, *words, env=variables)
    assert ended.returncode == 1
    assert ended.stderr.count(f"meterlake {command} ended with 3") == 5
    ran = [datetime.fromtimestamp(int(line), UTC).astimezone(LONDON) for line in runs.read_text().split()]
    first = ran.pop(0) if at_once else None
    assert first == (now if at_once else None)
    minutes = (now.astimezone(UTC) + timedelta(minutes=m) for m in range(1, 40 * 1440))
    due = (at.astimezone(LONDON) for at in minutes if wanted(at.astimezone(LONDON)))
    assert ran == list(islice(due, len(ran)))


@pytest.mark.parametrize("service", JOBS)
def test_the_commands_of_the_schedule_are_meterlakes_and_wait_for_each_other(compose, tmp_path, service):
    job = compose["services"][service]
    assert job["command"][-2:] == ["--wait", "3600"]
    ended = CliRunner().invoke(main.app, [*job["command"], "--config", str(tmp_path / "none.toml")])
    assert ended.exit_code == 2
    assert "no such file" in ended.output
    assert "lake:/var/lib/meterlake" in job["volumes"]


def test_the_health_check_tells_a_server_that_answers_from_none(compose, demo):
    kind, program, *arguments = compose["services"]["api"]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python")
    assert done(sys.executable, *arguments).returncode != 0, "something listens on 8321 already"
    from threading import Thread  # noqa: PLC0415 - here only

    from pipeline.serving.app import application  # noqa: PLC0415

    server = uvicorn.Server(uvicorn.Config(application(load(demo)), port=8321, log_level="warning"))
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            pass
        accepted(sys.executable, *arguments)
    finally:
        server.should_exit = True
        thread.join(30)
