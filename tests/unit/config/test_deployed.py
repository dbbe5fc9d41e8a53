"""Each deployed configuration and schedule against the demo's: no feed, reference, metric or command is missing anywhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from pipeline.config.settings import load

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "conf" / "deploy"
CONFIGURATIONS = sorted(DEPLOY.rglob("*.toml"))
# The weekday, or None for each day, and the hour in London of each command.
WANTED = {"run": (None, 8), "verify": (None, 4), "maintain": ("sun", 3)}
# What has no schedule of its own, and no configuration.
OTHERS = {"grafana", "prometheus"}


def read(path):
    return (DEPLOY / path).read_text()


def from_cron(minute, hour, day, month, weekday):
    assert (minute, day, month) == ("0", "*", "*")
    return {"*": None, "0": "sun", "SUN": "sun"}[weekday], int(hour)


def of_crontab(path):
    """Lines that fire each hour and compare it with London's."""
    line = r'^0 \* \* \* \* .*TZ=Europe/London date \+(?:\\%u)?\\%H\)" != (7)?(\d\d) .*?(?:"meterlake |--command )(run|maintain|verify)\b'
    return {
        command: ("sun" if day else None, int(hour))
        for day, hour, command in re.findall(line, read(path), re.MULTILINE)
    }


def of_systemd():
    found = {}
    for name in ("", "-maintain", "-verify"):
        times = re.search(
            r"^OnCalendar=(Sun )?\*-\*-\* (\d\d):00:00 Europe/London$",
            read(f"systemd/meterlake{name}.timer"),
            re.MULTILINE,
        )
        command = re.search(r"^ExecStart=\S+ (\w+)", read(f"systemd/meterlake{name}.service"), re.MULTILINE)[1]
        found[command] = ("sun" if times[1] else None, int(times[2]))
    return found


def of_compose():
    found = {}
    for service in yaml.safe_load(read("container/compose.yaml"))["services"].values():
        if service.get("entrypoint", [""])[0] == "meterlake-daily":
            *_, at, day = service["entrypoint"]
            assert service["environment"] == {"TZ": "Europe/London"}
            found[service["command"][0]] = ({"daily": None, "7": "sun"}[day], int(at.removesuffix(":00")))
    return found


def of_kubernetes():
    found = {}
    for name in yaml.safe_load(read("kubernetes/base/kustomization.yaml"))["resources"]:
        job = yaml.safe_load(read(f"kubernetes/base/{name}"))
        if job["kind"] == "CronJob":
            assert job["spec"]["timeZone"] == "Europe/London"
            (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
            found[container["args"][0]] = from_cron(*job["spec"]["schedule"].split())
    return found


def of_databricks():
    found = {}
    for job in yaml.safe_load(read("databricks/resources/jobs.yml"))["resources"]["jobs"].values():
        if schedule := job.get("schedule"):
            assert (schedule["timezone_id"], schedule["pause_status"]) == ("Europe/London", "UNPAUSED")
            seconds, *times = schedule["quartz_cron_expression"].replace("?", "*").split()
            assert seconds == "0"
            (task,) = job["tasks"]
            found[task["run_job_task"]["job_parameters"]["command"]] = from_cron(*times)
    return found


def of_airflow():
    """The times of a DAG, and the command that is its last task."""
    text = read("airflow/meterlake_dag.py")
    assert 'LONDON = "Europe/London"' in text
    found = {}
    for dag in text.split("with DAG(")[1:]:
        times = re.search(r'CronDataIntervalTimetable\("([^"]+)", timezone=LONDON\)', dag)[1]
        found[re.findall(r'"meterlake (\w+) ', dag)[-1]] = from_cron(*times.split())
    return found


SCHEDULES = {
    "airflow": of_airflow,
    "container": of_compose,
    "cron": lambda: of_crontab("cron/meterlake.cron"),
    "databricks": of_databricks,
    "dataproc": lambda: of_crontab("dataproc/meterlake.cron"),
    "kubernetes": of_kubernetes,
    "systemd": of_systemd,
}


def test_every_folder_is_looked_at():
    assert {path.name for path in DEPLOY.iterdir() if path.is_dir()} == set(SCHEDULES) | OTHERS
    assert {path.parent.relative_to(DEPLOY).parts[0] for path in CONFIGURATIONS} == {
        "container", "databricks", "dataproc", "kubernetes",
    }  # fmt: skip


@pytest.mark.parametrize("place", SCHEDULES)
def test_every_place_runs_each_command_at_its_hour(place):
    assert SCHEDULES[place]() == WANTED


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_configuration_has_the_demos_feeds_reference_and_measures(path):
    demo, deployed = load(ROOT / "conf/local.toml"), load(path)

    def feeds(settings):
        return {feed.name: feed.model_dump(exclude={"path"}) for feed in settings.feeds}

    assert feeds(deployed) == feeds(demo)
    assert len({feed.path for feed in deployed.feeds}) == len(demo.feeds)
    assert deployed.active_on == demo.active_on
    assert deployed.reference is not None
    assert deployed.reference.feeds == demo.reference.feeds
    assert (deployed.metrics.due, deployed.metrics.time_zone) == (demo.metrics.due, demo.metrics.time_zone)
    # Measures: in a file after each run, or from the API that this place starts. Dataproc has no place for either.
    written, told = deployed.metrics.textfile is not None, "api" in tomllib.loads(path.read_text())
    if path.parent.name == "dataproc":
        assert "No [metrics] textfile: the driver's disk ends with the job." in path.read_text()
    else:
        assert written or told
