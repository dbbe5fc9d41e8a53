"""The Dataproc files, read strictly into the vendor's messages and sent by the vendor's client to a server on loopback."""

from __future__ import annotations

import re
import shutil
import tomllib
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

import main
from tests.deploy.dataproc_submissions import FILES, PLACE, submitted
from tests.deploy.tools import ROOT, accepted, asked, done, tool

pytestmark = pytest.mark.deploy
COMMANDS = ["run", "maintain", "verify"]
IDS = """
import json, sys
from datetime import date
sys.path.insert(0, sys.argv[1])
import submit
print(json.dumps([submit.request_id(*each) for each in [
    ("run", "production", date(2026, 3, 29)), ("run", "production", date(2026, 3, 30)),
    ("run", "development", date(2026, 3, 29)), ("run", "production", date(2026, 3, 29), 2),
    *((command, "development", date(9999, 12, 31), 99) for command in submit.ARGUMENTS)]]))
"""
PARSE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import submit
submit.HERE = Path(sys.argv[2])
place = "--project p --region r --bucket b --environment production"
submit.message(submit.asked([sys.argv[3], *place.split()]))
"""


@pytest.mark.parametrize("kind", ["batch", "workflow"])
def test_submitting_a_day_twice_is_one_request(kind):
    day = f"{kind} {PLACE} --environment production --day 2026-03-29"
    answers, taken = submitted(day, day, f"{day} --attempt 2", day.replace("-29", "-30"))
    assert answers == ["operations/1", "operations/1", "operations/2", "operations/3"]
    wanted = ["meterlake-production-20260329", "meterlake-production-20260329-2", "meterlake-production-20260330"]
    assert [each["request_id"] for each in taken] == wanted
    assert all(each["parent"].startswith("projects/p1/") and each["parent"].endswith("/europe-west2") for each in taken)


def test_a_batch_whose_request_is_forgotten_is_still_one():
    day = f"batch {PLACE} --environment production --day 2026-03-29"
    answers, taken = submitted(day, day, server="forgets")
    assert answers == ["operations/1", "projects/p1/locations/europe-west2/batches/meterlake-production-20260329"]
    assert len(taken) == 1


def test_the_day_is_todays_in_london():
    (_, (today,)) = submitted(f"batch {PLACE} --environment development")
    day = date.fromisoformat(re.fullmatch(r"meterlake-development-(\d{8})", today["request_id"])[1])
    assert abs(day - date.today()) <= timedelta(days=1)  # noqa: DTZ011 - the machine's own, which may be a day off


def test_ids_differ_and_are_such_as_the_service_takes():
    ids = asked(IDS, FILES)
    assert len(set(ids)) == len(ids)
    # Of a request: letters, digits, _ and -, 40 at most; of a batch: 4 to 63 lower-case letters, digits and -.
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{3,39}", each) for each in ids)


def jobs(more=""):
    """The messages of each command as a batch, and of a workflow of all."""
    day = f"{PLACE} --environment production --day 2026-03-29 {more}"
    _, batches = submitted(*(f"batch {day} --command {command}" for command in COMMANDS))
    _, (workflow,) = submitted(f"workflow {day} --command {' '.join(COMMANDS)}")
    steps = workflow["message"]["jobs"]
    assert [step["stepId"] for step in steps] == COMMANDS
    assert [step.get("prerequisiteStepIds", []) for step in steps] == [[], ["run"], ["maintain"]]
    return [each["message"]["pysparkBatch"] for each in batches], [step["pysparkJob"] for step in steps]


# What the runtime and the image of that number have, by the vendor's pages (docs/platforms.md).
SPARK_OF = {"3.0": "4.0", "3.0-debian13": "4.1"}


def test_jobs_bring_the_jars_of_the_runtimes_spark_the_wheel_of_this_version_and_commands_of_meterlake(tmp_path):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for kind, found in zip(("batch", "workflow"), jobs("--jar postgresql.jar"), strict=True):
        text = (FILES / f"{kind}.yaml").read_text()
        (runtime,) = re.findall(r"^ +(?:version|imageVersion): \"?([\w.-]+)", text, re.MULTILINE)
        said = tomllib.loads((ROOT / f"tests/versions/spark-{SPARK_OF[runtime]}/coordinates.toml").read_text())
        wanted = {jar["file"] for jar in said["jar"]} | {"postgresql.jar"}
        for job, command in zip(found, COMMANDS, strict=True):
            assert {uri.rsplit("/", 1)[1] for uri in job["jarFileUris"]} == wanted
            assert all(uri.startswith("gs://b1/meterlake/jars/") for uri in job["jarFileUris"])
            (wheel,) = job["pythonFileUris"]
            assert wheel.endswith(f"/meterlake-{version}+platform-py3-none-any.whl")
            *words, config = job["args"]
            assert words[0] == command
            assert (FILES / config).is_file()
            assert job["fileUris"] == [f"gs://b1/meterlake/{config}"]
            ended = CliRunner().invoke(main.app, [*words, str(tmp_path / config)])
            assert ended.exit_code == 2
            assert "no such file" in ended.output


def test_a_subnet_is_the_machines_where_one_is_named():
    for kind, place in (
        ("batch", ("environmentConfig", "executionConfig")),
        ("workflow", ("placement", "managedCluster", "config", "gceClusterConfig")),
    ):
        day = f"{kind} {PLACE} --environment production"
        _, (usual,) = submitted(f"{day} --day 2026-03-29")
        _, (named,) = submitted(f"{day} --day 2026-03-29 --subnet private")
        for sent, wanted in ((usual, None), (named, "private")):
            part = sent["message"]
            for key in place:
                part = part[key]
            assert (part.get("subnetworkUri") or None) == wanted


@pytest.mark.parametrize("words", ["batch --command run verify", "workflow --command run run"])
def test_a_batch_is_one_command_and_a_workflow_has_each_once(words):
    script = "import sys; sys.path.insert(0, sys.argv.pop(1)); import submit; submit.asked()"
    ended = done(tool("python"), "-c", script, FILES, *words.split(), *PLACE.split(), "--environment", "production")
    assert ended.returncode == 2
    assert "a batch takes one, a workflow each at most once" in ended.stderr


@pytest.mark.parametrize(("kind", "name"), [("batch", "batch.yaml"), ("workflow", "workflow.yaml")])
def test_an_unknown_field_is_refused(tmp_path, kind, name):
    path = tmp_path / name
    path.write_text((FILES / name).read_text())
    accepted(tool("python"), "-c", PARSE, FILES, tmp_path, kind)
    path.write_text(path.read_text().replace("jarFileUris:", "jarFileURLs:", 1))
    ended = done(tool("python"), "-c", PARSE, FILES, tmp_path, kind)
    assert ended.returncode == 1
    assert 'no field named "jarFileURLs"' in ended.stderr


CRON = (FILES / "meterlake.cron").read_text()
LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("run", lambda at: at.hour == 8),
        ("verify", lambda at: at.hour == 4),
        ("maintain", lambda at: at.isoweekday() == 7 and at.hour == 3),
    ],
)
@pytest.mark.parametrize("first", ["2026-03-27", "2026-10-23"])
def test_each_line_of_cron_submits_at_its_hour_in_london_also_when_the_clocks_change(tmp_path, command, wanted, first):
    (line,) = [each for each in CRON.splitlines() if each.endswith(f"--command {command} >/dev/null")]
    *times, user, command_line = line.split(maxsplit=6)
    assert (times, user) == (["0", "*", "*", "*", "*"], "meterlake")
    assert not re.search(r"(?<!\\)%", command_line)  # cron makes a new line of it
    variables = dict(re.findall(r"^([A-Z]+)=(.*)$", CRON, re.MULTILINE))
    assert variables["SUBMIT"].endswith(str((FILES / "submit.py").relative_to(ROOT)))
    for name, text in (("date", f'exec {shutil.which("date")} -d "@$NOW" "$@"'), ("python", 'echo "$@" >&2')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    start = datetime.fromisoformat(f"{first}T00:00:00+00:00")
    acted = []
    for at in (start + timedelta(hours=hours) for hours in range(96)):
        own = variables | {"PATH": f"{tmp_path}:/usr/bin:/bin", "NOW": str(int(at.timestamp()))}
        ended = done("/bin/sh", "-c", command_line.replace("\\%", "%"), env=own)
        assert (ended.returncode, ended.stdout) == (0, "")
        if ended.stderr:
            acted.append(at.astimezone(LONDON))
            script, *words = ended.stderr.split()
            assert script == variables["SUBMIT"]
    submitted(" ".join(words))  # its words are the program's
    hours = [(start + timedelta(hours=hours)).astimezone(LONDON) for hours in range(96)]
    assert acted == [at for at in hours if wanted(at)]
    assert acted
