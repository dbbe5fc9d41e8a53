"""The Dataproc files, read strictly into the vendor's messages and sent by the vendor's client to a server on loopback."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

import main
from tests.deploy.tools import DEPLOY, ROOT, accepted, asked, done, tool

pytestmark = pytest.mark.deploy
FILES = DEPLOY / "dataproc"
PLACE = "--project p1 --region europe-west2 --bucket b1"
IDS = """
import json, sys
from datetime import date
sys.path.insert(0, sys.argv[1])
import submit
print(json.dumps([submit.request_id(*each) for each in [
    ("production", date(2026, 3, 29)), ("production", date(2026, 3, 30)), ("development", date(2026, 3, 29)),
    ("production", date(2026, 3, 29), 2), ("development", date(9999, 12, 31), 99)]]))
"""
PARSE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import submit
submit.HERE = Path(sys.argv[2])
submit.message(sys.argv[3], {"project": "p", "bucket": "b", "environment": "production"})
"""


def submitted(*arguments, server="remembers"):
    """(answers of the client, what the server took) of these submissions, one after the other."""
    script = ROOT / "tests/deploy/dataproc_server.py"
    result = json.loads(accepted(tool("python"), script, FILES, server, *" + ".join(arguments).split()))
    return result["answers"], result["taken"]


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


def jobs():
    _, (batch,) = submitted(f"batch {PLACE} --environment production --day 2026-03-29")
    _, (workflow,) = submitted(f"workflow {PLACE} --environment production --day 2026-03-29")
    return [batch["message"]["pysparkBatch"], *(job["pysparkJob"] for job in workflow["message"]["jobs"])]


# What the runtimes of that number have, by the vendor's pages.
SPARK_OF = {"3.0": "4.0", "3.0-debian12": "4.0"}


def test_jobs_bring_the_jars_of_the_runtimes_spark_the_wheel_of_this_version_and_commands_of_meterlake(tmp_path):
    runtimes = re.findall(
        r"(?:^  version|imageVersion): \"?([\w.-]+)", "".join(map(Path.read_text, FILES.glob("*.yaml"))), re.MULTILINE
    )
    assert len(runtimes) == 2
    (spark,) = {SPARK_OF[runtime] for runtime in runtimes}
    said = tomllib.loads((ROOT / f"tests/versions/spark-{spark}/coordinates.toml").read_text())
    pins = {jar["file"] for jar in said["jar"]}
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    verbs = []
    for job in jobs():
        assert {uri.rsplit("/", 1)[1] for uri in job["jarFileUris"]} == pins
        assert all(uri.startswith("gs://b1/meterlake/jars/") for uri in job["jarFileUris"])
        (wheel,) = job["pythonFileUris"]
        assert wheel.endswith(f"/meterlake-{version}+platform-py3-none-any.whl")
        *words, config = job["args"]
        assert job["fileUris"] == [f"gs://b1/meterlake/{config}"]
        ended = CliRunner().invoke(main.app, [*words, str(tmp_path / config)])
        assert ended.exit_code == 2
        assert "no such file" in ended.output
        verbs.append(words[0])
    assert verbs == ["run", "run", "maintain"]


@pytest.mark.parametrize(("kind", "name"), [("batch", "batch.yaml"), ("workflow", "workflow.yaml")])
def test_an_unknown_field_is_refused(tmp_path, kind, name):
    path = tmp_path / name
    path.write_text((FILES / name).read_text())
    accepted(tool("python"), "-c", PARSE, FILES, tmp_path, kind)
    path.write_text(path.read_text().replace("jarFileUris:", "jarFileURLs:", 1))
    ended = done(tool("python"), "-c", PARSE, FILES, tmp_path, kind)
    assert ended.returncode == 1
    assert 'no field named "jarFileURLs"' in ended.stderr
